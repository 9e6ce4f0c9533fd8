"""A language server of a few words, for tests: it stands for the language's own server beside tandem.

In: LSP on standard input; as arguments the milliseconds that it takes over a list, and the words. Out: the
words as functions, whatever is asked; and a message when it knows of a document, since an editor asks it
nothing before. It has no trigger characters.
"""

import json
import sys
import time


def messages():
    while True:
        length = 0
        while line := sys.stdin.buffer.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            return
        yield json.loads(sys.stdin.buffer.read(length))


def answer(id, result):
    send({"id": id, "result": result})


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


delay, words = int(sys.argv[1]) / 1000, sys.argv[2:]
for message in messages():
    match message.get("method"):
        case "initialize":
            answer(message["id"], {"capabilities": {"completionProvider": {}, "textDocumentSync": 2}})
        case "textDocument/didOpen":
            text = {"type": 3, "message": "words are ready"}
            send({"method": "window/showMessage", "params": text})
        case "textDocument/completion":
            time.sleep(delay)
            answer(message["id"], [{"label": word, "kind": 3} for word in words])
        case "exit":
            break
        case _ if "id" in message and "method" in message:
            answer(message["id"], None)
