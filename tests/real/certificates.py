"""Certificates for tests: an authority, and one certificate for each way in which one can be good or bad."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Signer:
    """Who signs: the certificate and the key of an authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Pair:
    """The files of a certificate (with what is sent above it) and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """An authority, the one under it, and where their certificates lie. `folder` takes what is made."""

    folder: Path
    root: Signer
    under: Signer

    @property
    def file(self) -> Path:
        """The certificate of the root: what a client has to trust."""
        return self.folder / "authority.pem"

    def pair(
        self,
        name: str,
        *,
        names: Sequence[str] = HERE,
        begins: datetime.timedelta = -DAY,
        ends: datetime.timedelta = 63 * DAY,
        chain: bool = True,
    ) -> Pair:
        """A certificate for these names, valid between two times from now; with `chain` its issuer is sent with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _signed(_Wish(name, names, begins, ends), key, self.under)
        return self._kept(name, [made, self.under.certificate] if chain else [made], key)

    def self_signed(self, name: str) -> Pair:
        """A certificate that nobody but its own key vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._kept(name, [_signed(_Wish(name, HERE), key, None)], key)

    def with_root(self, name: str) -> Pair:
        """A good certificate that is sent with all above it, the root too."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _signed(_Wish(name, HERE), key, self.under)
        return self._kept(name, [made, self.under.certificate, self.root.certificate], key)

    def under_expired(self, name: str, ends: datetime.timedelta = -2 * DAY) -> Pair:
        """A certificate that is valid itself, under an authority that is not any more, or until `ends` from now."""
        above = _authority("Old Test Authority", self.root, ends=ends)
        key = ec.generate_private_key(ec.SECP256R1())
        return self._kept(name, [_signed(_Wish(name, HERE), key, above), above.certificate], key)

    def _kept(self, name: str, chain: Sequence[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> Pair:
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        pair.certificate.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
        form = serialization.PrivateFormat.PKCS8
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return pair


def authority(folder: Path) -> Authority:
    """A new authority whose files lie in `folder`."""
    root = _authority("Test Root", None)
    (folder / "authority.pem").write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, root, _authority("Test Authority", root))


@dataclass(frozen=True)
class _Wish:
    name: str
    names: Sequence[str] = ()
    begins: datetime.timedelta = -DAY
    ends: datetime.timedelta = 63 * DAY
    signs: bool = False


def _authority(name: str, above: Signer | None, ends: datetime.timedelta = 3650 * DAY) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Signer(_signed(_Wish(name, begins=-3 * DAY, ends=ends, signs=True), key, above), key)


def _signed(wish: _Wish, key: ec.EllipticCurvePrivateKey, signer: Signer | None) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.name)])
    named = [_general(each) for each in wish.names]
    constraints = x509.BasicConstraints(ca=wish.signs, path_length=None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if signer is None else signer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + min(wish.begins, wish.ends - DAY))
        .not_valid_after(now + wish.ends)
        .add_extension(constraints, critical=True)
    )
    if named:
        builder = builder.add_extension(x509.SubjectAlternativeName(named), critical=False)
    return builder.sign(key if signer is None else signer.key, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
