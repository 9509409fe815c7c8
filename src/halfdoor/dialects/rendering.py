"""What renderings of several dialects share: turns by their speaker, tools, and what is lost."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import assert_never

from msgspec import Raw

from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Opaque,
    Part,
    Role,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

Fields = dict[str, object]


class Writing(ABC):
    """One body in the making; `lost` collects what it cannot say, in order, once each."""

    __slots__ = ("_conversation", "lost")

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.lost: dict[str, None] = {}

    def _lose(self, what: str) -> None:
        self.lost[what] = None

    def _turn(self, message: Message) -> Iterator[Fields]:
        match message.role:
            case Role.SYSTEM:
                yield from self._system(message)
            case Role.USER:
                yield from self._user(message)
            case Role.ASSISTANT:
                yield from self._assistant(message)
            case _:
                assert_never(message.role)

    @abstractmethod
    def _system(self, message: Message) -> Iterator[Fields]: ...

    @abstractmethod
    def _user(self, message: Message) -> Iterator[Fields]: ...

    @abstractmethod
    def _assistant(self, message: Message) -> Iterator[Fields]: ...

    def _functions(self) -> Iterator[Tool]:
        """Tools less those that only their vendor runs."""
        for tool in self._conversation.tools:
            if isinstance(tool, ServerTool):
                self._lose("server-tool")
            else:
                yield tool

    def _calling(self, named: Callable[[str], Fields]) -> Fields:
        """How tools may be called: fields that are refused where there are no tools.

        named: how the dialect says that one of them must be.
        """
        told = self._conversation
        fields: Fields = {}
        if told.tool_choice is not None:
            fields["tool_choice"] = self._choice(told.tool_choice, named)
        fields["parallel_tool_calls"] = told.options.parallel_tool_calls
        return stated(fields)

    def _choice(self, choice: ToolChoice, named: Callable[[str], Fields]) -> object:
        if choice.mode is not ChoiceMode.NAMED:
            return choice.mode.value
        tools = self._conversation.tools
        if not any(isinstance(tool, Tool) and tool.name == choice.name for tool in tools):
            self._lose("tool-choice")  # its tool is one that the vendor runs
            return None
        return named(choice.name)


def stated(fields: Fields) -> Fields:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def lost_with(part: Part) -> str:
    """What is lost with a part that cannot be said where it stands."""
    match part:
        case Thinking():
            return "thinking"
        case Opaque():
            return "opaque-part"
        case Image():
            return "image"
        case Text() | ToolCall() | ToolResult():
            return "order"  # a call outside an assistant's turn, a result outside a user's
        case _:
            assert_never(part)


def parameters(tool: Tool) -> Raw | Fields:
    """A tool's schema, where the API demands one."""
    return Raw(tool.schema) if tool.schema else {"type": "object", "properties": {}}
