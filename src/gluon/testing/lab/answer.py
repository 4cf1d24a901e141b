"""A script, run inside a namespace: answer each TCP connection with a name, or ask who answers.

`answer.py serve NAME PORT` and `answer.py ask ADDRESS PORT SECONDS`. It imports the standard library
only, so that it starts quickly. Called by `reach`.
"""

import socket
import sys


def serve(name: str, port: int) -> None:
    with socket.create_server(("0.0.0.0", port)) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(name.encode())


def ask(address: str, port: int, seconds: float) -> str:
    """The name, or '' if nobody answers in time."""
    try:
        with socket.create_connection((address, port), timeout=seconds) as connection:
            return connection.recv(1000).decode()
    except OSError:
        return ""


def main() -> None:
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        print(ask(sys.argv[2], int(sys.argv[3]), float(sys.argv[4])), end="")


if __name__ == "__main__":
    main()
