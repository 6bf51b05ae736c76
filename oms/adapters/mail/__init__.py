"""Who carries mails: any SMTP server."""
