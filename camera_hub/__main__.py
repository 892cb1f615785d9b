"""`python -m camera_hub`: the same as the command `camera-hub`."""

from camera_hub.cli import main

if __name__ == "__main__":
    main()
