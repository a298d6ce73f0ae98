"""A mail server through smtplib. Errors that leave here carry the server's code, never an address or a mail's words."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from privacy_ops.errors import ConfigError, StoreRefused, StoreUnavailable
from privacy_ops.settings import MailSettings

_TIMEOUT_SECONDS = 20
_PERMANENT = 500
_HERE = ("127.0.0.1", "::1", "localhost")


class MailServer:
    """One server and the address that mails come from. Connects for each mail: they are few."""

    def __init__(self, settings: MailSettings | None) -> None:
        if settings is None:
            raise ConfigError(
                "no mail server is named",
                where="PRIVACY_OPS_SMTP_URL or Airflow connection privacy_ops_smtp",
                do="name one; docs/operations.md says how",
            )
        if not settings.tls and settings.host not in _HERE:
            raise ConfigError("mail would leave this machine without TLS", where=settings.host, do="use TLS")
        self._settings = settings

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over; From is set here. Raises StoreRefused (never try again), StoreUnavailable."""
        settings = self._settings
        if "From" not in message:
            message["From"] = settings.sender
        try:
            with smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT_SECONDS) as server:
                if settings.tls:
                    server.starttls(context=ssl.create_default_context())
                if settings.user:
                    server.login(settings.user, settings.password or "")
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refusal(max((code for code, _ in error.recipients.values()), default=0)) from None
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise StoreUnavailable(f"the mail server cannot be reached ({type(error).__name__})") from None

    @staticmethod
    def _refusal(code: int) -> StoreRefused | StoreUnavailable:
        if code >= _PERMANENT:
            return StoreRefused(f"the mail server refused ({code})", do="correct address, sender or password")
        return StoreUnavailable(f"the mail server asks to wait ({code})")
