"""Exit 0 when the service in this container says that it is ready, 1 otherwise (the image has no curl)."""

import http.client
import os
import sys

TIMEOUT_S = 4.0  # below the HEALTHCHECK's own timeout, so that the reason printed here is kept


def main(port: int) -> int:
    """The exit status of asking /readyz on this port; what was answered goes to the log of health checks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        print(answer.status, answer.read(500).decode("utf-8", "replace"))
        return 0 if answer.status == http.HTTPStatus.OK else 1
    except OSError as error:
        print(f"no answer on port {port}: {error}")
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("INKSEEK_PORT") or 8000)))
