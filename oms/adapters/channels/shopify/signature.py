"""The signature of a webhook: HMAC-SHA256 over the raw body, base64, in X-Shopify-Hmac-Sha256."""

import base64
import binascii
import hashlib
import hmac


def verify(body: bytes, header: str | None, secret: str) -> bool:
    """Tell whether a body was signed with the secret, in constant time."""
    if not header or not secret:
        return False
    try:
        given = base64.b64decode(header, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, hmac.new(secret.encode(), body, hashlib.sha256).digest())
