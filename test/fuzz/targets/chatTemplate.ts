/** Chat templates: Jinja that loops, doubles, recurses, asks for prototypes or is none, rendered as the engine does it. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { compileChatTemplate } from '../../../src/engine/text/chatTemplate.ts';
import { mutateText } from '../mutate/text.ts';
import { Finding, sampled, textOf, type Input, type Room, type Subject } from '../target.ts';
import { JINJA } from './words.ts';

const MESSAGES = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Solve x + 1 = 2.' }, { role: 'assistant', content: '<think>a</think>\\boxed{1}' }];
/** A template as long as many published ones, of what they use. */
const PUBLISHED = "{%- if tools %}{{- '<|im_start|>system\\n' }}{%- for tool in tools %}{{- tool | tojson }}{%- endfor %}{%- endif %}{%- set ns = namespace(multi_step_tool=true, last=messages|length - 1) %}{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.multi_step_tool and message.role == 'user' and message.content is string and not(message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}{%- set ns.multi_step_tool = false %}{%- set ns.last = index %}{%- endif %}{%- endfor %}{%- for message in messages %}{%- set content = message.content if message.content is string else '' %}{%- if '</think>' in content %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}";
const LONGEST_RESULT = 4 * 1_048_576;

export function open({ root }: Room): Subject {
  const files = ['test/golden/vectors/tiny-tied/ckpt/chat_template.jinja', 'models/tah-math-small/checkpoint/chat_template.jinja'];
  const texts = [...files.map((file) => readFileSync(path.join(root, file), 'utf8')), PUBLISHED, '{% for i in range(50) %}{% for j in range(50) %}x{% endfor %}{% endfor %}', '{% set ns = namespace(x="ab") %}{% for i in range(9) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}', '{{ messages | tojson(indent=2) }}{{ messages | map(attribute="role") | join(",") }}'];
  const seeds = texts.map((data): Input => ({ part: '', data }));
  return {
    seeds,
    mutate: (seed, random) => ({ part: '', data: mutateText(textOf(seed), random, { ...JINJA, other: textOf(random.pick(seeds)) }, 20_000) }),
    invent: (random) => ({ part: '', data: sampled(fc.array(fc.oneof(fc.constantFrom(...JINJA.pieces), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 60 }), random).join('') }),
    run: ({ data }) => {
      const text = compileChatTemplate(String(data), 'The chat template').render({ bos_token: '<s>', eos_token: '</s>', messages: MESSAGES, tools: null, documents: null, add_generation_prompt: true });
      if (text.length > LONGEST_RESULT) throw new Finding(`renders ${text.length} characters`);
      return 'accepted';
    },
  };
}
