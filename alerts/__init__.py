"""Flags become conversations: every one is said once, to the people whom it concerns.

incidents    what is wrong now, one for each cause, from the published flags and exceptions
store        what was said of them before, and what is still to be said (the outbox)
routes       who hears of what, and when
sending      from the outbox through the channels, however often a channel or this process fails
channels/    Slack, Microsoft Teams, e-mail, signed webhook, and the many services of Apprise
"""
