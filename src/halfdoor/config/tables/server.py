"""Where halfdoor listens, and whose requests it takes."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, VARIABLE, about

MIB: Final = 1024 * 1024


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where halfdoor listens and keeps its state."""

    listen: Annotated[
        str,
        about("Address and port to listen on; an address beyond loopback needs `[[tokens]]`."),
    ] = "127.0.0.1:4114"
    admin_listen: Annotated[
        str,
        about(
            "A second address and port, for `/metrics` and what admins do, which `listen` then "
            "does not answer; empty puts both there."
        ),
    ] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        about("Extra `Host` names to accept, as a browser or a tool would send them."),
    ] = ()
    body_limit_bytes: Annotated[
        int,
        Meta(ge=1024, le=1024 * MIB, description="Largest request body in bytes; more is 413."),
    ] = 64 * MIB
    ping_s: Annotated[
        Annotated[float, Meta(ge=0, le=3600)],
        about("Silence after which a streaming client gets a keep-alive; 0 never. One commits."),
    ] = 15.0
    hold_for: Annotated[
        tuple[str, ...],
        about(
            "Tools (`aider`) whose streams are held until complete: half a text never arrives, "
            "another model may still answer, and no keep-alive is sent."
        ),
    ] = ()
    remember_s: Annotated[
        Annotated[float, Meta(ge=60, le=366 * 86_400)],
        about("Seconds a session keeps its floor after its last answer; read at the start only."),
    ] = 86_400.0
    state_dir: Annotated[
        str,
        about("Folder of the log and its keys; empty means `$XDG_STATE_HOME/halfdoor`."),
    ] = ""

    time_zone: Annotated[
        str,
        about(
            "Where days, weeks and months of budgets begin, as `Europe/Berlin`, and hours of "
            "routes are counted; empty means the machine's own; budgets read it at the start only."
        ),
    ] = ""
    offline: Annotated[
        bool,
        about(
            "Speak to this device only: every model beyond it is left out, no name is looked up."
        ),
    ] = False

    @property
    def address(self) -> tuple[str, int]:
        """Host, without brackets, and port. ValueError for a `listen` that nothing has checked."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """A secret that a tool must show. Optional on loopback, needed beyond it."""

    name: Annotated[str, Meta(pattern=NAME, description="What the log calls its bearer.")]
    env: Annotated[
        str,
        Meta(
            pattern=VARIABLE,
            description="The environment variable that holds the secret; the file never does.",
        ),
    ]
    person: Annotated[
        str, Meta(pattern=NAME + "|^$", description="Whose it is, for costs and budgets.")
    ] = ""
    team: Annotated[
        str, Meta(pattern=NAME + "|^$", description="The team of that person, for the same.")
    ] = ""
    role: Annotated[
        Literal["tool", "admin", "metrics"],
        about(
            "`tool` may ask models; `admin` may lift sessions and ask nobody, keep it from tools; "
            "`metrics` may read `/metrics` and nothing else."
        ),
    ] = "tool"
