import { describe, expect, it } from 'vitest';
import { compileChatTemplate } from '../../../../src/engine/text/chatTemplate.ts';
import { TahError } from '../../../../src/protocol/errors.ts';

const messages = [{ role: 'user', content: 'hi' }];

function render(source: string, variables: Record<string, unknown> = { messages }): string {
  return compileChatTemplate(source, 'The chat template of X').render(variables);
}

function failure(source: string): TahError {
  try {
    render(source);
  } catch (error) {
    if (error instanceof TahError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('chat template', () => {
  it('renders what published templates use', () => {
    expect(render('{%- set ns = namespace(n=0) %}{% for m in messages[::-1] %}{% set ns.n = ns.n + 1 %}{{ m.role }}{{ loop.index0 }}{% endfor %}{{ ns.n }}')).toBe('user01');
    expect(render('{{ "a</think>b".split("</think>")[-1].lstrip("\\n") }}{{ messages | tojson }}')).toBe('b[{"role": "user", "content": "hi"}]');
    expect(render('{% if tools is not none %}T{% endif %}{{ range(3) | join(",") }}{{ range(5, 1, -2) | join(",") }}', { tools: null })).toBe('0,1,25,3');
  });

  it('gives dates in English', () => {
    expect(render('{{ strftime_now("%d %b %Y") }}')).toMatch(/^\d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}$/);
    expect(render('{{ strftime_now("%constructor %Q %%") }}')).toMatch(/onstructor %Q %$/);
  });

  it('passes on what the template itself refuses', () => {
    const error = failure('{{ raise_exception("Roles must alternate") }}');
    expect(error.code).toBe('engine.bad-request');
    expect(error.message).toContain('Roles must alternate');
  });

  it.each([
    ['is no Jinja', '{% if %}'],
    ['never closes a block', '{% for m in messages %}'],
    ['uses an unknown filter', '{{ messages | shell("ls") }}'],
    ['is far too long', 'x'.repeat(300_000)],
    ['calls itself for ever', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    ['loops through a huge range', '{% for i in range(1000000000) %}{% endfor %}'],
    ['loops in loops', '{% for i in range(9999) %}{% for j in range(9999) %}{% for k in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}'],
    ['doubles a text for ever', '{% set ns = namespace(x="ab") %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}'],
    ['doubles a list for ever', '{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}'],
    ['writes without end', '{% for i in range(99999) %}{{ "' + 'x'.repeat(2000) + '" }}{% endfor %}'],
    ['fills a range with fractions', '{{ range(0, 1, 0.0000001) }}'],
    ['steps by nothing', '{{ range(0, 9, 0) }}'],
    ['calls what is no function', '{{ messages.constructor("return process")() }}'],
    ['calls through a string', '{{ "".constructor.constructor("return 1")() }}'],
  ])('is refused where it %s', (_, source) => {
    const start = performance.now();
    const error = failure(source);
    expect(error.code).toBe('checkpoint.bad-tokenizer');
    expect(error.message).toMatch(/^The chat template of X cannot be used: /);
    expect(error.hint).toBeTruthy();
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', '__class__', 'hasOwnProperty'])('cannot reach %s', (name) => {
    for (const value of ['messages', 'messages[0]', '""', 'range', 'true', 'namespace()', '1']) {
      expect(render(`{{ ${value}.${name} is defined }}${value === 'range' ? '' : `{{ ${value}["${name}"] is defined }}`}`)).toMatch(/^(false)+$/);
    }
    expect(Object.prototype).toEqual({});
  });

  it('has room for a long conversation', () => {
    const long = Array.from({ length: 2000 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: 'x'.repeat(500) }));
    const text = render('{% for m in messages %}{% if m.role == "user" %}{{ "<u>" + m.content | trim }}{% else %}{{ "<a>" + m.content }}{% endif %}{% endfor %}', { messages: long });
    expect(text.length).toBe(2000 * 503);
  });
});
