"""The one prompt form used in training and at inference: the chat template with a single user message."""

from __future__ import annotations

IM_START, IM_END, END_OF_TEXT = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
CHAT_TEMPLATE = (
    "{%- for message in messages %}\n    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n"
)


def prompt_text(question: str) -> str:
    """Rendering of CHAT_TEMPLATE for one user message, generation prompt added."""
    return f"{IM_START}user\n{question}{IM_END}\n{IM_START}assistant\n"


def answer_text(solution: str) -> str:
    """What the model writes: the solution and the end mark."""
    return f"{solution}{IM_END}"
