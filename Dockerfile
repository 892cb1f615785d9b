# The hub in a small image. Build:  docker build -t camera-hub .
# Run:  docker run -v hub-config:/config -v hub-data:/data -p 8787:8787 camera-hub
# with /config/hub.yaml whose storage.path is /data and whose server.host is 0.0.0.0.

FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/ requirements/
RUN python -m pip install --no-cache-dir --no-deps --require-hashes \
        -r requirements/build.txt -r requirements/node.txt \
    && python -m venv /hub \
    && /hub/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/base.txt
COPY . .
RUN mkdir -p .venv/bin && ln -sf "$(command -v python)" .venv/bin/python \
    && scripts/npm ci --no-audit --no-fund \
    && scripts/npm run build \
    && python -m hatchling build -t wheel \
    && /hub/bin/python -m pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home hub \
    && install -d -o hub -g hub /config /data
COPY --from=build /hub /hub
ENV PATH=/hub/bin:$PATH PYTHONUNBUFFERED=1
USER hub
WORKDIR /config
VOLUME ["/config", "/data"]
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["camera-hub", "health", "http://127.0.0.1:8787"]
ENTRYPOINT ["camera-hub"]
CMD ["run", "/config/hub.yaml"]
