"""A real Apache Kafka for development and tests: KRaft, loopback addresses, a scratch folder.

``python -m deploy.kafka.cluster [--brokers 3] [--version 3.9]`` prints the bootstrap address and
runs until it is stopped.  Needs Java 17 and the jars that ``make kafka-jars`` fetches.  Not for
production: no security unless asked for, and its data goes when it ends.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

_ROOT = Path(__file__).resolve().parents[2]
VERSIONS = {"4.1": _ROOT / ".kafka", "3.9": _ROOT / ".kafka-3.9"}
JARS = VERSIONS["4.1"]
_START_S = 90.0
_STOP_S = 15.0


class ClusterError(Exception):
    """The cluster cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class User:
    """Who may use a secured cluster: SASL_SSL, SCRAM-SHA-512."""

    name: str
    password: str


class Broker:
    """One broker, which is also a controller of the quorum.

    Parameters
    ----------
    node : int
        Its number, from 1.
    folder : Path
        Where its configuration, data and log go.
    user : User or None
        Clients must prove to be this user, over TLS.
    """

    def __init__(self, node: int, folder: Path, jars: Path, user: User | None = None) -> None:
        self.node = node
        self.port, self.controller_port = _free_ports(2)
        self.folder = folder / f"broker-{node}"
        self._jars = jars
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def ca_file(self) -> Path:
        """The certificate that clients of a secured broker trust (PEM)."""
        return self.folder / "ca.pem"

    def format(self, cluster_id: str, brokers: Sequence[Broker]) -> None:
        """Write its configuration and prepare its data folder."""
        self.folder.mkdir(parents=True)
        voters = ",".join(f"{b.node}@127.0.0.1:{b.controller_port}" for b in brokers)
        copies, in_sync = min(3, len(brokers)), min(2, len(brokers))
        listener = "PLAINTEXT" if self._user is None else "SASL_SSL"
        (self.folder / "server.properties").write_text(
            "\n".join(
                (
                    "process.roles=broker,controller",
                    f"node.id={self.node}",
                    f"controller.quorum.voters={voters}",
                    f"listeners={listener}://{self.address},"
                    f"CONTROLLER://127.0.0.1:{self.controller_port}",
                    f"advertised.listeners={listener}://{self.address}",
                    f"inter.broker.listener.name={listener}",
                    "controller.listener.names=CONTROLLER",
                    f"listener.security.protocol.map={listener}:{listener},CONTROLLER:PLAINTEXT",
                    *(self._secured(self._user) if self._user else ()),
                    f"log.dirs={self.folder / 'data'}",
                    f"default.replication.factor={copies}",
                    f"min.insync.replicas={in_sync}",
                    f"offsets.topic.replication.factor={copies}",
                    f"transaction.state.log.replication.factor={copies}",
                    f"transaction.state.log.min.isr={in_sync}",
                    "offsets.topic.num.partitions=8",
                    "transaction.state.log.num.partitions=4",
                    "group.initial.rebalance.delay.ms=200",
                    "auto.create.topics.enable=false",
                    "num.network.threads=2",
                    "num.io.threads=4",
                    "log.cleaner.dedupe.buffer.size=16777216",
                    "",
                )
            )
        )
        done = subprocess.run(
            self._java(
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster_id}",
                "-c",
                self._settings,
                *(("--add-scram", _scram(self._user)) if self._user else ()),
            ),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise ClusterError(f"broker {self.node} cannot be formatted: {done.stdout.decode()}")

    def _secured(self, user: User) -> Iterator[str]:
        """Settings of a secured listener, and its certificate beside them."""
        store, password = self.folder / "server.p12", uuid.uuid4().hex
        common = ("-keystore", str(store), "-storepass", password, "-alias", "broker")
        made = ("-genkeypair", "-keyalg", "RSA", "-storetype", "PKCS12", "-dname", "CN=127.0.0.1")
        extensions = ("-ext", "SAN=ip:127.0.0.1", "-ext", "bc:c", "-validity", "2")
        shown = ("-exportcert", "-rfc", "-file", str(self.ca_file))
        for command in ((*made, *extensions), shown):
            done = subprocess.run(
                [_tool("keytool"), *command, *common],
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            if done.returncode:
                raise ClusterError(f"no certificate could be made: {done.stdout.decode()}")
        yield from (
            f"ssl.keystore.location={store}",
            "ssl.keystore.type=PKCS12",
            f"ssl.keystore.password={password}",
            f"ssl.key.password={password}",
            f"ssl.truststore.location={self.ca_file}",
            "ssl.truststore.type=PEM",
            "sasl.enabled.mechanisms=SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="{user.name}" password="{user.password}";',
        )

    def start(self) -> None:
        """Start it; :meth:`wait` tells when it answers."""
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", self._settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return once it takes connections.

        Raises
        ------
        ClusterError
            If it ends instead, or takes too long.
        """
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if not self.alive:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            time.sleep(0.1)
        tail = (self.folder / "broker.log").read_text(errors="replace")[-2000:]
        raise ClusterError(f"broker {self.node} does not answer on {self.address}: {tail}")

    def stop(self) -> None:
        """End it in order; by force when it takes too long."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self.alive:
            self._process.send_signal(number)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _settings(self) -> str:
        return str(self.folder / "server.properties")

    def _java(self, *command: str) -> list[str]:
        return [
            _tool("java"),
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            # all versions log through slf4j, whose simplest backend is among the jars
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss,SSS",
            "-cp",
            f"{self._jars}/*",
            *command,
        ]


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ClusterError(f"{name} is not installed; Kafka needs Java 17 or newer")
    return found


def _scram(user: User) -> str:
    return f"SCRAM-SHA-512=[name={user.name},password={user.password}]"


class Cluster:
    """Brokers that know each other."""

    def __init__(self, brokers: Sequence[Broker]) -> None:
        self.brokers = tuple(brokers)

    @property
    def bootstrap(self) -> str:
        """Addresses of all brokers, as clients take them."""
        return ",".join(broker.address for broker in self.brokers)


@contextmanager
def cluster(
    brokers: int = 1, jars: Path | None = None, user: User | None = None
) -> Iterator[Cluster]:
    """Run a cluster in a scratch folder.

    Parameters
    ----------
    brokers : int
        1, or 3 for replication with two in sync.
    jars : Path or None
        Where the jars are, one of ``VERSIONS``; by default ``.kafka`` in the project.
    user : User or None
        With a user the cluster is secured, of one broker only.

    Raises
    ------
    ClusterError
        If Java or the jars are missing, or a broker does not start.
    """
    jars = jars or JARS
    if not any(jars.glob("kafka_*.jar")):
        raise ClusterError(f"no jars of Kafka in {jars}; run: make kafka-jars")
    with tempfile.TemporaryDirectory(prefix="nadhir-kafka-") as scratch:
        nodes = [Broker(node, Path(scratch), jars, user) for node in range(1, brokers + 1)]
        identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        try:
            for node in nodes:
                node.format(identity, nodes)
            for node in nodes:
                node.start()
            for node in nodes:
                node.wait()
            if len(nodes) > 1:
                _wait_for_each_other(nodes)
            yield Cluster(nodes)
        finally:
            for node in nodes:
                node.kill()


def _wait_for_each_other(nodes: Sequence[Broker]) -> None:
    """Return once every broker names all of them to those who ask."""
    end = time.monotonic() + _START_S
    for node in nodes:
        known = 0
        while known < len(nodes):
            if time.monotonic() > end:
                raise ClusterError(f"broker {node.node} knows {known} of {len(nodes)} brokers")
            with suppress(KafkaError):
                client = KafkaAdminClient(bootstrap_servers=node.address)
                try:
                    known = len(client.describe_cluster()["brokers"])
                finally:
                    client.close()
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    """Ports below those that the kernel gives to clients.

    A client that keeps trying to reach a broker that is down would else, one time in thousands, be
    given the broker's own port, connect to itself, and keep the broker from coming back.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(20_000, 32_000)  # noqa: S311
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            if port not in ports:
                ports.append(port)
    return ports


def main() -> None:
    """Run a cluster until a signal ends it."""
    parser = argparse.ArgumentParser(description="A real Kafka for development, on loopback.")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3))
    parser.add_argument("--version", default="4.1", choices=tuple(VERSIONS))
    asked = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with cluster(asked.brokers, VERSIONS[asked.version]) as running:
            print(running.bootstrap, flush=True)
            print("Kafka runs until Ctrl-C; its data goes with it.", file=sys.stderr)
            while not ended.wait(0.5):
                dead = [b.node for b in running.brokers if not b.alive]
                if dead:
                    raise ClusterError(f"broker {dead[0]} has ended")
    except ClusterError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(os.EX_SOFTWARE)


if __name__ == "__main__":
    main()
