/**
 * What a failure means and what to do about it, for a user whose language is not English: of each code a text that
 * l10n/ has translations of. The error's own sentence, in English with the names of files and values, stands behind it.
 * Knows no language and no way to show a text.
 */

import type { ErrorCode, ErrorData, TahError } from './errors.ts';
import type { Translate } from './reasons.ts';

export const ERROR_TEXTS: Readonly<Record<ErrorCode, string>> = {
  'checkpoint.missing-file': 'A file that the checkpoint needs is not there. Download it again, whole.',
  'checkpoint.unreadable': 'A file or folder of the checkpoint can’t be read. Check its path and permissions.',
  'checkpoint.bad-json': 'A JSON file of the checkpoint is cut or damaged. Download it again.',
  'checkpoint.bad-config': 'A configuration of the checkpoint has a value that can’t be.',
  'checkpoint.unsupported-architecture': 'This kind of model is not supported: only Qwen3 and Llama are.',
  'checkpoint.bad-safetensors': 'A weight file of the checkpoint is cut or damaged. Download it again.',
  'checkpoint.missing-tensor': 'A tensor that the model needs is not in the checkpoint. Download it again.',
  'checkpoint.wrong-shape': 'A tensor of the checkpoint has another shape than its configuration says.',
  'checkpoint.not-finite': 'The checkpoint has a weight that is no number or infinite. Use another checkpoint.',
  'checkpoint.bad-path': 'A file name of the checkpoint leads out of its folder. Don’t trust this checkpoint.',
  'checkpoint.bad-lora': 'The LoRA adapter of the checkpoint does not fit the model.',
  'checkpoint.bad-decider': 'The decider of the checkpoint is damaged or does not fit. Download it again.',
  'checkpoint.forbidden-pickle': 'A file of the checkpoint asks to run code. Nothing was run. Don’t trust this checkpoint.',
  'checkpoint.incomplete': 'Some of the Think-at-Hard files are in the checkpoint and others are not. Download them all.',
  'checkpoint.bad-tokenizer': 'The tokenizer of the checkpoint, or its chat template, can’t be used.',
  'import.exists': 'The target of the import is already there. Choose another folder.',
  'import.disk-full': 'There is not enough space for the import. Free some space; nothing was left behind.',
  'import.cannot-write': 'The target of the import can’t be written. Choose a folder that you may write to.',
  'model.not-found': 'The model is not there. Choose another one, or import it again.',
  'model.bad-manifest': 'The model can’t be read: its manifest is damaged or of another version. Repair it, or import it again.',
  'model.corrupted': 'A file of the model is missing or has changed. Repair it, or import it again.',
  'model.no-tokenizer': 'The model has no tokenizer or chat template, so it can’t read text.',
  'model.bundled-damaged': 'The bundled model is damaged. Install the extension again.',
  'model.no-source': 'The model can’t be made again: what it was made from is not there. Choose the checkpoint’s folder, or download it again.',
  'model.no-decider': 'This is a plain model: it can’t think twice. Choose a Think-at-Hard model.',
  'hub.no-network': 'The hub can’t be reached. Check network and proxy, try a mirror, or import a local folder.',
  'hub.interrupted': 'The download was interrupted. Start it again: it goes on where it was.',
  'hub.unauthorized': 'The repository is private, gated or not there, or the access token is wrong.',
  'hub.forbidden': 'The access token may not read the repository. Accept the terms on its page.',
  'hub.not-found': 'There is no such repository, revision or file. Check the name and the mirror.',
  'hub.rate-limited': 'The hub has had too many requests. Wait a while.',
  'hub.server-error': 'The hub failed several times. Try later, or a mirror.',
  'hub.bad-answer': 'What answers there is no hub. Check the address under thinkAtHard.hubUrl.',
  'hub.bad-path': 'The repository names a path that leads out of the folder. Don’t trust it.',
  'hub.not-a-checkpoint': 'The repository has no checkpoint that can be used. Choose a Qwen3 or Llama model as safetensors.',
  'hub.not-a-data-set': 'The repository has no file that an evaluation could read.',
  'hub.wrong-length': 'A downloaded file has another length than it should. Start the download again.',
  'hub.wrong-hash': 'A downloaded file has other contents than it should, and was thrown away. Download again, or use another mirror.',
  'hub.bad-archive': 'A downloaded package can’t be unpacked. Fetch it again, or use another mirror.',
  'hub.disk-full': 'There is not enough space for the download. Free some space.',
  'hub.cannot-write': 'The folder of the download can’t be written. Choose a folder that you may write to.',
  'hub.exists': 'The folder holds something else than this download. Choose another folder.',
  'hub.busy': 'This is being downloaded already. Wait for it, or cancel it.',
  'engine.provider-unavailable': 'The chosen device can’t be used here. Choose auto or cpu.',
  'engine.out-of-memory': 'The model does not fit into memory. Close programs, or import it as int4.',
  'engine.context-too-long': 'The text is too long for the model. Shorten it.',
  'engine.bad-request': 'The model can’t do what was asked for: a value is not possible.',
  'engine.busy': 'The engine is at work on something that can’t wait. Stop it, or wait.',
  'engine.crashed': 'The engine process ended by itself; what has been written is kept. Try again: a new process starts.',
  'engine.not-starting': 'The engine process does not start. Get Node for it, or name another Node under thinkAtHard.nodePath.',
  'engine.run-failed': 'The computation failed. Run Think-at-Hard: Diagnose…, or choose the provider cpu.',
  'endpoint.unknown': 'The settings have no endpoint of that name. Check thinkAtHard.endpoints.',
  'endpoint.unreachable': 'The endpoint can’t be reached. Check that it runs, its address and your network.',
  'endpoint.tls': 'There is no secure connection to the endpoint. Check its certificate, or use http.',
  'endpoint.unauthorized': 'The endpoint wants an API key, or another one. Set it with Think-at-Hard: Set Endpoint Key….',
  'endpoint.no-model': 'The endpoint has no model of that name.',
  'endpoint.busy': 'The endpoint has had too many requests, or the quota is used up. Try again later.',
  'endpoint.refused': 'The endpoint refuses the request.',
  'endpoint.failed': 'The endpoint failed. See its log.',
  'endpoint.not-openai': 'What answers there doesn’t speak OpenAI’s protocol. Check the address: it mostly ends with /v1.',
  'endpoint.broken-stream': 'The answer of the endpoint was cut off or is damaged; what has come is kept. Try again.',
  'endpoint.stalled': 'The endpoint has sent nothing for too long; what has come is kept.',
  'endpoint.cannot': 'An endpoint can’t do that. Choose a model of this machine.',
  'serve.port-in-use': 'Another program listens on the port.',
  'serve.cannot-listen': 'The system doesn’t let the server listen there.',
  'input.bad-option': 'A choice or its value is not possible here.',
  'input.empty': 'There is nothing to work on.',
  'input.missing-file': 'A file can’t be read. Check its path.',
  'input.bad-file': 'A file or text is not of the kind that is needed.',
  'run-file.invalid': 'This is no run file that can be shown: it is damaged, cut off or too large.',
  'run-file.newer-version': 'The run file was written by a newer version. Update the extension.',
  'run-file.cannot-write': 'The run can’t be written. Choose another folder, or free some space.',
  'verify.mismatch': 'The results differ from what they must be.',
  cancelled: 'It was stopped.',
  internal: 'This is a fault of Think-at-Hard. Please report it with the log.',
};

/** An error, or what has travelled of it. */
export type Sayable = Pick<ErrorData, 'code' | 'message'> & { readonly hint?: string | undefined; readonly phrases?: TahError['phrases'] };

export interface SaidError {
  /** What is read first. */
  readonly sentence: string;
  /** What to do, or what exactly is wrong in the error's own words; null where there is no more. */
  readonly detail: string | null;
}

/** @param translate gives the text itself, filled, where it has no translation */
export function sayError(error: Sayable, translate: Translate): SaidError {
  const { message = null, hint = null } = error.phrases ?? {};
  const todo = hint === null ? error.hint : translate(hint.text, ...hint.values);
  if (message !== null) return { sentence: translate(message.text, ...message.values), detail: todo ?? null };
  const text = ERROR_TEXTS[error.code];
  const said = translate(text);
  if (said === text) return { sentence: error.message, detail: todo ?? null };
  return { sentence: said, detail: [error.message, todo].filter((part) => part !== undefined).join(' ') };
}

/** On one line: the error's own English in brackets behind the sentence of another language. */
export function sayErrorInLine(error: Sayable, translate: Translate): string {
  const { sentence, detail } = sayError(error, translate);
  if (detail === null) return sentence;
  return detail.startsWith(error.message) ? `${sentence} (${detail})` : `${sentence} ${detail}`;
}
