"""From the configuration of a channel to the channel."""

from alerts.channels import Channel
from alerts.channels.config import (
    AnyChannel,
    AppriseConfig,
    EmailConfig,
    SlackConfig,
    SlackWebhookConfig,
    TeamsConfig,
)
from alerts.channels.posting import Patience


def open_channel(config: AnyChannel, patience: Patience | None = None) -> Channel:
    """The channel of a configuration; nothing is connected to before something is sent.

    Raises RefusedError for a secret that cannot be used. Only what is used is imported: Slack's library and Apprise are slow.
    """
    patient = patience or Patience()
    if isinstance(config, SlackConfig):
        from alerts.channels.slack import SlackChannel

        return SlackChannel(config, patient)
    if isinstance(config, SlackWebhookConfig):
        from alerts.channels.slack_webhook import SlackWebhook

        return SlackWebhook(config, patient)
    if isinstance(config, TeamsConfig):
        from alerts.channels.teams import TeamsChannel

        return TeamsChannel(config, patient)
    if isinstance(config, EmailConfig):
        from alerts.channels.mail import EmailChannel

        return EmailChannel(config, patient)
    if isinstance(config, AppriseConfig):
        from alerts.channels.apprise_service import AppriseChannel

        return AppriseChannel(config)
    from alerts.channels.webhook import SignedWebhook

    return SignedWebhook(config, patient)
