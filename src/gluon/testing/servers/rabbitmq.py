"""A private RabbitMQ, over which the processes of a Nova speak with each other.

Out: `RabbitServer`: `url` for oslo.messaging. Its node, its Erlang port mapper and its folder are its own, and all of it listens
on loopback only. As root it runs as user `rabbitmq`.
"""

from __future__ import annotations

from gluon.testing.folders import unprivileged_user
from gluon.testing.process import Daemon, wait_until
from gluon.testing.servers.server import LOOPBACK, PrivateServer, accepts

_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""What stands in PATH wants to be root or the system's own instance."""


class RabbitServer(PrivateServer):
    """`with RabbitServer() as rabbit: rabbit.url`. Ports: AMQP, Erlang's distribution, its port mapper."""

    kind = "mq"
    port_count = 3
    start_limit = 300.0

    def __init__(self) -> None:
        super().__init__(user=unprivileged_user("rabbitmq"))
        self._mapper: Daemon | None = None

    @property
    def url(self) -> str:
        return f"rabbit://guest:guest@{LOOPBACK}:{self.ports[0]}/"

    def stop(self) -> None:
        super().stop()
        if self._mapper is not None:
            self._mapper.stop()

    def _prepare(self) -> None:
        here = self.folder.path
        (here / "rabbitmq.conf").write_text(
            "loopback_users.guest = true\nvm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n"
        )
        (here / "plugins").write_text("[].")

    def _command(self) -> Daemon:
        amqp, distribution, mapper = self.ports
        here = self.folder.path
        own = {"HOME": str(here), "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": LOOPBACK}
        # Else the node would start one for the whole machine, and leave it behind.
        self._mapper = Daemon(["epmd"], log=here / "epmd.log", user=self.user, env=own)
        self._mapper.start()
        wait_until(lambda: accepts(LOOPBACK, mapper), "epmd", limit=20)
        return Daemon(
            [_PROGRAM],
            log=here / "server.log",
            user=self.user,
            env={
                **own,
                # by its address: a bare machine may not know the name localhost
                "RABBITMQ_NODENAME": f"gluon{amqp}@{LOOPBACK}",
                "RABBITMQ_USE_LONGNAME": "true",
                "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
                "RABBITMQ_NODE_PORT": str(amqp),
                "RABBITMQ_DIST_PORT": str(distribution),
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "plugins"),
                "RABBITMQ_MNESIA_BASE": str(here / "mnesia"),
                "RABBITMQ_LOG_BASE": str(here),
                "RABBITMQ_LOGS": "-",
                "RABBITMQ_PID_FILE": str(here / "pid"),
                # the process itself, without a shell between it and the signals
                "RABBITMQ_ALLOW_INPUT": "1",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
            },
        )

    def _answers(self) -> bool:
        return "Server startup complete" in self.daemon.said(lines=200)
