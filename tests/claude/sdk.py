"""The official client, asking the stand-in whose addresses it is given.

In: one argument, JSON. Out: "all is well", or the first thing that is not."""

import json
import sys

import anthropic

told = json.loads(sys.argv[1])
KEY, TEXT, USAGE = told["key"], told["text"], told["usage"]
QUESTION = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "thinking": {"type": "adaptive", "display": "summarized"},
    "output_config": {"effort": "medium"},
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "Who holds the key?"}],
}


def client(name, **options):
    options = {"api_key": KEY, "max_retries": 0, **options}
    return anthropic.Anthropic(base_url=told["addresses"][name], **options)


def raises(expected, status, **changes):
    """The question with these changes is refused, by this exception of the client."""
    fine = changes.pop("client", None) or client("fine")
    try:
        fine.messages.create(**{**QUESTION, **changes})
    except expected as error:
        assert error.status_code == status, error
        assert error.body["type"] == "error" and error.api_message, error.body
        assert error.request_id.startswith("req_"), error.request_id
        return error
    raise AssertionError(f"{changes} was taken, not refused with {status}")


def used(usage):
    return [
        usage.input_tokens,
        usage.cache_creation_input_tokens,
        usage.cache_read_input_tokens,
        usage.output_tokens,
    ]


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


# A whole answer, streamed and not, with either version of the API and either credential.
for options in [{}, {"default_headers": {"anthropic-version": "2023-06-01"}}, {"api_key": None, "auth_token": KEY}]:
    with client("fine", **options).messages.stream(**QUESTION) as stream:
        assert "".join(stream.text_stream) == TEXT
        message = stream.get_final_message()
    assert text_of(message) == TEXT and message.stop_reason == "end_turn", message
    assert used(message.usage) == USAGE, message.usage
    assert message.content[0].type == "thinking" and message.content[0].thinking == "Who holds it?"
    assert message.model == QUESTION["model"]

    message = client("fine", **options).messages.create(**QUESTION)
    assert text_of(message) == TEXT and used(message.usage) == USAGE, message

kinds = [event.type for event in client("fine").messages.create(**QUESTION, stream=True)]
for kind in ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]:
    assert kind in kinds, kinds

# Other ends.
with client("refusal").messages.stream(**QUESTION) as stream:
    message = stream.get_final_message()
assert message.stop_reason == "refusal" and message.stop_details.category == "cyber", message
assert client("full").messages.create(**QUESTION).stop_reason == "max_tokens"

# What passes is tried again by the client itself, as by ours.
for name in ["limited_once", "overloaded_once"]:
    assert text_of(client(name, max_retries=2).messages.create(**QUESTION)) == TEXT

# Errors are the client's exceptions.
for name, expected in [
    ("400", anthropic.BadRequestError),
    ("401", anthropic.AuthenticationError),
    ("402", anthropic.APIStatusError),
    ("403", anthropic.PermissionDeniedError),
    ("413", anthropic.APIStatusError),
    ("429", anthropic.RateLimitError),
    ("500", anthropic.InternalServerError),
    ("529", anthropic.InternalServerError),
]:
    raises(expected, int(name), client=client(name))

for name, expected in [("breaks", anthropic.APIStatusError), ("cut", Exception)]:
    try:
        with client(name).messages.stream(**QUESTION) as stream:
            stream.get_final_message()
    except expected:
        continue
    raise AssertionError(f"{name} was taken for a whole answer")

# What the API refuses.
prefill = QUESTION["messages"] + [{"role": "assistant", "content": "It is"}]
assert "prefill" in raises(anthropic.BadRequestError, 400, messages=prefill).api_message
for name in ["temperature", "top_p", "top_k"]:
    error = raises(anthropic.BadRequestError, 400, extra_body={name: 1})
    assert name in error.api_message, error.api_message
raises(anthropic.BadRequestError, 400, thinking={"type": "enabled", "budget_tokens": 2048})
raises(anthropic.BadRequestError, 400, tool_choice={"type": "any"})
raises(anthropic.NotFoundError, 404, model="claude-3-opus")
raises(anthropic.AuthenticationError, 401, client=client("fine", api_key="sk-ant-other"))
raises(anthropic.AuthenticationError, 401, client=client("fine", default_headers={"x-api-key": KEY}))
raises(anthropic.BadRequestError, 400, client=client("fine", default_headers={"anthropic-version": "2019-01-01"}))

print("all is well")
