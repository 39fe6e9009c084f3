/**
 * What a client is told when it gets no answer: an HTTP status and OpenAI's error body, so that its library raises the
 * error that its user knows. Knows which of our error codes is which status; knows no connection.
 */

import { TahError } from '../protocol/errors.ts';
import type { ErrorCode } from '../protocol/errors.ts';

export interface RefusalOptions {
  /** The request's field at fault. */
  readonly param?: string;
  /** A machine-readable reason; OpenAI's own word where there is one. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
}

export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    message: string,
    readonly options: RefusalOptions = {},
  ) {
    super(message);
  }

  get body(): ErrorBody {
    const { param = null, code = null } = this.options;
    return { error: { message: this.message, type: typeOf(this.status), param, code } };
  }

  /** A refused request as it is; our own errors by whose fault they are; anything else is a fault of ours and says nothing of itself. */
  static from(thrown: unknown): Refusal {
    if (thrown instanceof Refusal) return thrown;
    const error = TahError.from(thrown);
    if (error.code === 'internal') return new Refusal(500, 'The server has failed; its log says how.', { code: 'internal' });
    const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    return new Refusal(STATUS[error.code] ?? 500, message, { code: error.code === 'engine.context-too-long' ? 'context_length_exceeded' : error.code, ...(error.subject === undefined ? {} : { param: error.subject }) });
  }
}

export function badRequest(message: string, param: string, code = 'invalid_value'): Refusal {
  return new Refusal(400, message, { param, code });
}

/** Codes whose status is not 500. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  'engine.context-too-long': 400,
  'engine.bad-request': 400,
  'input.empty': 400,
  'model.no-decider': 400,
  'model.not-found': 404,
  'engine.busy': 429,
  'engine.out-of-memory': 503,
  'engine.provider-unavailable': 503,
  cancelled: 503,
};

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
