"""Tool names that another vendor refuses: made fit on the way there, their own on the way back.

Refused is what is longer than 64 characters or holds others than letters, digits, `_` and `-`.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from halfdoor.canon.events import Event, Open
from halfdoor.canon.request import Conversation, Message, Part, ServerTool, ToolCall
from halfdoor.reading.naming import fit


class Renaming:
    """The names of one conversation's tools. told: the conversation with names that are taken.

    A call of earlier turns keeps up with its tool, also where that is offered no more.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._own: dict[str, str] = {}
        self.told = self._fitted(conversation)

    def __bool__(self) -> bool:
        return bool(self._own)

    def back(self, events: list[Event]) -> list[Event]:
        """Events as the tool that asked names its tools."""
        if not self._own:
            return events
        return [
            replace(event, name=self._own[event.name])
            if isinstance(event, Open) and event.name in self._own
            else event
            for event in events
        ]

    def _fitted(self, told: Conversation) -> Conversation:
        called = [part.name for part in _calls(told.messages)]
        offered = [tool.name for tool in told.tools if not isinstance(tool, ServerTool)]
        self._own = {fit(name): name for name in (*called, *offered) if fit(name) != name}
        if not self._own:
            return told
        tools = tuple(
            tool if isinstance(tool, ServerTool) else replace(tool, name=fit(tool.name))
            for tool in told.tools
        )
        choice = told.tool_choice
        if choice is not None and choice.name:
            choice = replace(choice, name=fit(choice.name))
        messages = tuple(_renamed(message) for message in told.messages)
        return replace(told, messages=messages, tools=tools, tool_choice=choice)


def _calls(messages: Iterable[Message]) -> Iterable[ToolCall]:
    return (part for said in messages for part in said.parts if isinstance(part, ToolCall))


def _renamed(message: Message) -> Message:
    if not any(isinstance(part, ToolCall) for part in message.parts):
        return message
    parts: tuple[Part, ...] = tuple(
        replace(part, name=fit(part.name)) if isinstance(part, ToolCall) else part
        for part in message.parts
    )
    return replace(message, parts=parts)
