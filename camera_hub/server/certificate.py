"""The certificate that this server shows, read from its file whenever it matters: it may be a new one."""

import ssl
from pathlib import Path

from camera_hub.link.enrolment import certificate_sha256
from camera_hub.model import HubError

_END = "-----END CERTIFICATE-----"


def own_certificate(path: Path) -> bytes:
    """SHA-256 of the first certificate in the file, which is the server's own. Raises HubError."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as exc:
        raise HubError(f"{path}: cannot be read ({exc.strerror}); check server.tls.certificate") from exc
    begin, end = text.find("-----BEGIN CERTIFICATE-----"), text.find(_END)
    try:
        return certificate_sha256(ssl.PEM_cert_to_DER_cert(text[begin : end + len(_END)]))
    except ValueError:
        raise HubError(f"{path}: holds no certificate (PEM); check server.tls.certificate") from None


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Raises HubError when the files are not a certificate and the key that belongs to it."""
    if certificate is None:
        return
    own_certificate(certificate)
    if key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            certificate, key, password=_no_password
        )
    except OSError as exc:  # as ssl.SSLError is
        raise HubError(
            f"{key}: not the key (PEM, without a password) of the certificate in {certificate} ({exc}); "
            "check server.tls, and that camera-hub's user may read both"
        ) from exc


def _no_password() -> str:
    return ""  # rather than asking at a terminal
