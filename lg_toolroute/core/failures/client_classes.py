"""What the classes of clients and frameworks mean, by name, so that none of them need be imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lg_toolroute.core.failures.failure import FailureClass
from lg_toolroute.core.failures.spellings import words

CONTROL_FLOW: Final = words(
    """GraphBubbleUp GraphInterrupt NodeInterrupt ParentCommand GraphDrained CancelledError Cancelled
    KeyboardInterrupt SystemExit GeneratorExit APIUserAbortError NodeTimeoutError NodeCancelledError
    ModelCallLimitExceededError ToolCallLimitExceededError PIIDetectionError OpenAIModerationError"""
)
"""Not the model's failure: the run was stopped or paused, or ran into a limit that its author set."""

TELLING_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "context_overflow": words("ContextOverflowError ContextWindowExceededError"),
    "content_policy": words("OpenAIRefusalError ContentPolicyViolationError ContentFilterFinishReasonError"),
}
"""Classes, by name, that say more than any phrase or status."""

NEUTRAL_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "auth": words("ModelAuthenticationError ModelPermissionDeniedError"),
    "model_not_found": words("ModelNotFoundError"),
    "rate_limit": words("ModelRateLimitError"),
    "timeout": words("ModelTimeoutError"),
    "connection": words("ModelConnectionError"),
    "invalid_request": words("ModelInvalidRequestError"),
}
"""LangChain's provider-neutral errors, by name. `ModelAPIError` is left out: its status tells overloaded from broken."""

CLIENT_CLASSES: Final[Mapping[FailureClass, frozenset[str]]] = {
    "timeout": words("TimeoutError TimeoutException APITimeoutError Timeout DeadlineExceeded GatewayTimeout ReadTimeoutError"),
    "quota": words("BudgetExceededError PaymentRequiredError"),
    "rate_limit": words("RateLimitError ThrottlingException ResourceExhausted TooManyRequests"),
    "auth": words("AuthenticationError PermissionDeniedError PermissionDenied Unauthenticated DefaultCredentialsError RefreshError"),
    "model_not_found": words("NotFoundError NotFound"),
    "overloaded": words("OverloadedError ServiceUnavailableError ServiceUnavailable"),
    "server_error": words(
        """InternalServerError ServerError ModelAPIError APIResponseValidationError UnknownApiResponseError
        DecodingError SSEError TooManyRedirects JSONDecodeError UnicodeDecodeError ContentDecodingError"""
    ),
    "invalid_request": words("BadRequestError UnprocessableEntityError InvalidArgument BadRequest"),
    "connection": words(
        """ConnectionError APIConnectionError NetworkError ProtocolError TransportError ConnectError ReadError
        WriteError CloseError ChunkedEncodingError ClientConnectionError ClientPayloadError IncompleteRead
        SSLError gaierror InvalidURL UnsupportedProtocol BrokenResourceError ClosedResourceError EndOfStream
        BadStatusLine"""
    ),
    "invalid_tool_call": words("OutputParserException"),
}
"""The clients' own classes, by name: a subclass stands before its base (`APITimeoutError` is an `APIConnectionError`)."""

TRANSPORT: Final = frozenset[str]().union(*(table[cls] for table in (NEUTRAL_CLASSES, CLIENT_CLASSES) for cls in ("timeout", "connection")))
"""The classes of a connection that failed: what they were raised from is a detail of a parser or a socket, with numbers of its own."""

PHRASES: Final[Mapping[FailureClass, re.Pattern[str]]] = {
    "auth": re.compile(r"api_key client option must be|could not resolve authentication|did not find \w*api_key|missing credentials", re.IGNORECASE),
    "model_not_found": re.compile(r"requires the .{1,60} package|please install (?:it )?(?:with|using) .{0,12}pip install", re.IGNORECASE),
}
"""What a client says that was not set up, in errors that look like mistakes in a program."""
