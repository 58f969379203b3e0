"""E-mail, Slack and Teams: what arrives, what happens when nothing does, and what is never said."""

import base64
from typing import Any

import pytest

from custom_events.errors import InvalidConfiguration, Transient
from custom_events.settings import Settings
from custom_events.watching.channels import channels
from custom_events.watching.messages import Message
from tests.watching.conftest import Hook, Mailbox

MESSAGE = Message(
    title="Custom Events: opened: AccountParked", lines=("[OPENED] critical: a < b & c.", "", "Console: x")
)


def made(**given: str) -> tuple[Any, ...]:
    return channels(Settings(**given))


def test_nothing_is_set_up_by_default() -> None:
    assert made() == ()


def test_an_email_arrives_whole(mailbox: Mailbox) -> None:
    (channel,) = made(
        alarm_email_to="ops@shop.example, boss@shop.example",
        alarm_smtp_url=f"smtp://user:pass%40word@127.0.0.1:{mailbox.port}",
    )
    channel.send(MESSAGE)
    (mail,) = mailbox.messages
    assert "Subject: Custom Events: opened: AccountParked" in mail
    assert "From: ops@shop.example" in mail
    assert "To: ops@shop.example, boss@shop.example" in mail
    assert "[OPENED] critical: a < b & c." in mail
    assert [base64.b64decode(login) for login in mailbox.logins] == [b"\0user\0pass@word"]


def test_without_a_user_nobody_logs_in(mailbox: Mailbox) -> None:
    (channel,) = made(
        alarm_email_to="ops@shop.example",
        alarm_email_from="alarm@shop.example",
        alarm_smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
    )
    channel.send(MESSAGE)
    assert mailbox.logins == []
    assert "From: alarm@shop.example" in mailbox.messages[0]


def test_slack_reads_its_markup_and_teams_its_card(hook: Hook) -> None:
    slack, teams = made(alarm_slack_url=hook.address, alarm_teams_url=hook.address)
    slack.send(MESSAGE)
    teams.send(MESSAGE)
    assert hook.bodies[0] == {
        "text": "Custom Events: opened: AccountParked\n[OPENED] critical: a &lt; b &amp; c.\n\nConsole: x"
    }
    card = hook.bodies[1]["attachments"][0]["content"]
    assert [block["text"] for block in card["body"]] == [MESSAGE.title, "[OPENED] critical: a < b & c.", "Console: x"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_mail_server_that_does_not_answer_is_transient(closed_port: int, scheme: str) -> None:
    (channel,) = made(alarm_email_to="a@b.example", alarm_smtp_url=f"{scheme}://user:geheim@127.0.0.1:{closed_port}")
    with pytest.raises(Transient, match="did not take the message") as caught:
        channel.send(MESSAGE)
    assert "geheim" not in repr(caught.value)


def test_a_mail_server_without_encryption_is_not_trusted_with_it(mailbox: Mailbox) -> None:
    (channel,) = made(alarm_email_to="a@b.example", alarm_smtp_url=f"smtp+starttls://u:p@127.0.0.1:{mailbox.port}")
    with pytest.raises(Transient, match="SMTPNotSupportedError"):
        channel.send(MESSAGE)
    assert mailbox.logins == []


def test_a_refused_receiver_is_transient(mailbox: Mailbox) -> None:
    mailbox.refuses = True
    (channel,) = made(alarm_email_to="a@b.example", alarm_smtp_url=f"smtp://127.0.0.1:{mailbox.port}")
    with pytest.raises(Transient, match="SMTPRecipientsRefused"):
        channel.send(MESSAGE)


def test_a_webhook_that_refuses_says_its_status_and_not_its_address(hook: Hook) -> None:
    hook.status = 410
    (channel,) = made(alarm_slack_url=hook.address)
    with pytest.raises(Transient, match="slack answered 410") as caught:
        channel.send(MESSAGE)
    assert "very-secret" not in repr(caught.value)


def test_a_webhook_that_does_not_answer(closed_port: int) -> None:
    (channel,) = made(alarm_teams_url=f"http://127.0.0.1:{closed_port}/very-secret")
    with pytest.raises(Transient, match="teams did not take the message") as caught:
        channel.send(MESSAGE)
    assert "very-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"alarm_email_to": "a@b.example"}, "CUSTOM_EVENTS_ALARM_SMTP_URL"),
        ({"alarm_email_to": "a@b.example", "alarm_smtp_url": "geheim.example"}, "CUSTOM_EVENTS_ALARM_SMTP_URL"),
        ({"alarm_email_to": "a@b.example", "alarm_smtp_url": "smtp://geheim:none"}, "CUSTOM_EVENTS_ALARM_SMTP_URL"),
        ({"alarm_slack_url": "file:///etc/geheim"}, "CUSTOM_EVENTS_ALARM_SLACK_URL"),
        ({"alarm_teams_url": "https://[geheim"}, "CUSTOM_EVENTS_ALARM_TEAMS_URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_not_shown(given: dict[str, str], variable: str) -> None:
    with pytest.raises(InvalidConfiguration, match=variable) as caught:
        made(**given)
    assert "geheim" not in str(caught.value)


def test_an_answer_that_leads_elsewhere_is_a_failure(hook: Hook) -> None:
    (channel,) = made(alarm_slack_url=hook.address)
    hook.status, hook.location = 302, hook.address.replace("very-secret", "elsewhere")
    with pytest.raises(Transient, match="slack answered 302"):
        channel.send(MESSAGE)
    assert len(hook.bodies) == 1


def test_alarms_leave_this_machine_encrypted_only() -> None:
    with pytest.raises(InvalidConfiguration, match="begins with https://"):
        made(alarm_slack_url="http://hooks.slack.example/services/T0/B0/very-secret")
    assert len(made(alarm_slack_url="https://hooks.slack.example/services/T0/B0/very-secret")) == 1
