#!/usr/bin/env node
/** Main of the command line `tah`: names the commands and their options. What a command does is in src/cli. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { bench } from './cli/bench.ts';
import { rerunWithCuda } from './cli/cudaProcess.ts';
import { diagnose } from './cli/diagnose.ts';
import { download } from './cli/download.ts';
import { evalCommand } from './cli/evalCommand.ts';
import { importModel } from './cli/importModel.ts';
import { problemText, textOrFile } from './cli/inputText.ts';
import { measure } from './cli/measure.ts';
import { STUDY_POLICIES, type StudyPolicy } from './eval/study.ts';
import { listOf, number, POLICIES, positive, PROVIDERS, QUANTIZATIONS, samplingOptions, thinkingPolicy, thresholds, wholeNumber, type PolicyName } from './cli/options.ts';
import { providers } from './cli/providers.ts';
import { SHAPES, writeRandomCheckpoint } from './cli/randomCheckpoint.ts';
import { recordSelfTest } from './cli/recordSelfTest.ts';
import { repair } from './cli/repair.ts';
import { scopeCommand } from './cli/scopeCommand.ts';
import { serve } from './cli/serve.ts';
import { solve } from './cli/solve.ts';
import { createTerminal, interruptSignal, reportError, type Terminal } from './cli/terminal.ts';
import { verifyCommand } from './cli/verifyCommand.ts';
import { DEFAULT_HUB } from './hub/source.ts';
import type { Provider, ProviderChoice } from './protocol/engine.ts';
import { TahError } from './protocol/errors.ts';
import type { Quantization } from './protocol/manifest.ts';
import packageJson from '../package.json' with { type: 'json' };

interface Common {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

interface Thinking extends Common {
  readonly model?: string;
  readonly policy: PolicyName;
  readonly threshold?: number;
  readonly provider: ProviderChoice;
}

const program = new Command('tah')
  .description('Think-at-Hard: a local model that thinks twice only where it is hard.')
  .version(packageJson.version)
  .showHelpAfterError('(tah --help, or tah COMMAND --help)');

/** Runs a command with its terminal and its Ctrl+C, and turns every failure into one line and an exit code. */
async function run(options: Common, work: (terminal: Terminal, signal: AbortSignal) => Promise<void> | void): Promise<void> {
  const terminal = createTerminal(options);
  const signal = interruptSignal();
  try {
    await work(terminal, signal);
  } catch (error) {
    const failure = error instanceof InvalidArgumentError ? new TahError('input.bad-option', error.message) : error;
    process.exitCode = reportError(failure, terminal, { verbose: options.verbose === true, signal });
  }
}

const quantization = (): Option => new Option('--quantization <kind>', 'precision of the weights').choices(QUANTIZATIONS);

function command(name: string, description: string): Command {
  return program.command(name).description(description).option('--json', 'one JSON document on standard output').option('--verbose', 'stack traces of failures');
}

function thinkingCommand(name: string, description: string): Command {
  return command(name, description)
    .option('--model <dir>', 'model folder (default: the bundled model)')
    .addOption(new Option('--policy <policy>', 'who decides about second passes').choices(POLICIES).default('decider'))
    .option('--threshold <x>', "a token is sent when its score is greater (default: the model's)", number)
    .addOption(new Option('--provider <provider>', 'where to run').choices(PROVIDERS).default('auto'));
}

thinkingCommand('solve', 'solve a problem and show where the model thought twice')
  .argument('<text>', 'the problem; - reads it from standard input')
  .option('--temperature <x>', "0 is greedy (default: the model's)", number)
  .option('--seed <n>', 'the same seed gives the same text', wholeNumber)
  .option('--max-tokens <n>', 'tokens at most', positive, 1024)
  .option('--endpoint <url>', "a server of OpenAI's protocol solves: its base URL; --model is then the name of its model. Your text is sent there")
  .option('--save <file>', 'write the run as FILE.tahrun.json, which VS Code opens in the heatmap')
  .option('--no-thinking', "turn the chat template's thinking off, where it has one (Qwen3)")
  .action((text: string, options: Thinking & { temperature?: number; seed?: number; maxTokens: number; thinking: boolean; save?: string; endpoint?: string }) =>
    run(options, (terminal, signal) =>
      solve(problemText(text), { ...options, policy: thinkingPolicy(options.policy, options.threshold), sampling: samplingOptions(options.temperature, options.seed) }, terminal, signal),
    ),
  );

command('download', 'bring a checkpoint from a hub or a mirror; goes on where an earlier download was left')
  .argument('<repository>', 'owner/name, owner/name@revision, or the address of its page')
  .requiredOption('--out <dir>', 'folder for the checkpoint')
  .option('--mirror <url>', 'address of the hub or mirror', DEFAULT_HUB)
  .option('--revision <revision>', 'branch, tag or commit')
  .option('--token-env <name>', 'environment variable with the access token, for gated repositories')
  .action((repository: string, options: Common & { out: string; mirror: string; revision?: string; tokenEnv?: string }) =>
    run(options, (terminal, signal) => download({ repository, ...options }, terminal, signal)),
  );

command('import', 'make a model folder from a checkpoint in the official layout')
  .argument('<checkpoint>', 'checkpoint folder')
  .requiredOption('--out <dir>', 'model folder to create')
  .addOption(quantization().default('int8'))
  .option('--replace', 'replace an older import', false)
  .option('--no-record', 'for a model that is passed on: nothing in it says where its checkpoint was, so it is repaired with tah repair --checkpoint only')
  .action((checkpoint: string, { out, quantization, replace, record, ...common }: Common & { out: string; quantization: Quantization; replace: boolean; record: boolean }) =>
    run(common, (terminal, signal) => importModel({ checkpoint, out, quantization, replace, record }, terminal, signal)),
  );

command('repair', 'make a damaged model folder again from what it was made from; what is missing of a download is downloaded')
  .argument('<dir>', 'model folder')
  .option('--checkpoint <dir>', 'checkpoint folder, where the recorded one is gone or there is no record')
  .addOption(quantization().default(undefined, 'as before'))
  .option('--token-env <name>', 'environment variable with the access token of the hub, for gated repositories')
  .action((model: string, options: Common & { checkpoint?: string; quantization?: Quantization; tokenEnv?: string }) => run(options, (terminal, signal) => repair({ model, ...options }, terminal, signal)));

command('verify', 'replay golden vectors of the reference implementation and compare every stage')
  .argument('<dir>', 'folder with golden.json and ckpt/, or sampling.json')
  .addOption(quantization().default('fp32'))
  .addOption(new Option('--provider <provider>', 'where to run').choices(PROVIDERS.filter((name) => name !== 'auto')).default('cpu'))
  .action((dir: string, options: Common & { quantization: Quantization; provider: Provider }) => run(options, (terminal, signal) => verifyCommand(dir, options, terminal, signal)));

thinkingCommand('measure', 'score a given text token by token')
  .argument('[text]', 'the text; - reads it from standard input')
  .option('--file <file>', 'read the text from a file')
  .option('--save <file>', 'write the run as FILE.tahrun.json, which VS Code opens in the heatmap')
  .action((text: string | undefined, options: Thinking & { file?: string; save?: string }) =>
    run(options, (terminal, signal) => measure(textOrFile(text, options.file), { ...options, policy: thinkingPolicy(options.policy, options.threshold) }, terminal, signal)),
  );

thinkingCommand('eval', 'how good a model is on a task')
  .argument('<task>', 'a benchmark (gsm8k, math500, aime24, aime25, amc23, olympiadbench), or a file with questions and answers')
  .option('--limit <n>', 'problems at most', positive)
  .option('--max-tokens <n>', 'tokens a problem at most', positive, 1024)
  .option('--temperature <x>', '0 is greedy', number, 0)
  .option('--seed <n>', 'of sampling', wholeNumber)
  .option('--data <file>', 'local file of a benchmark (.jsonl, .json, .csv, .parquet) instead of a download')
  .option('--mirror <url>', 'hub that benchmarks are downloaded from', DEFAULT_HUB)
  .option('--token-env <name>', 'environment variable with the access token of the hub')
  .option('--refusal <text>', 'the sentence with which the model refuses')
  .option('--results', 'with --json: every problem too', false)
  .option('--resume <file>', 'keeps each result in FILE as it comes; with the same settings goes on from there')
  .option('--out <dir>', 'compares policies: writes results.json and a page with plots to DIR, and goes on from what is there')
  .option('--policies <list>', 'with --out: which of never, decider, always, oracle (oracle: on worked solutions)', listOf(STUDY_POLICIES))
  .option('--thresholds <list>', 'with --out: other thresholds of the decider, such as 0.1,0.3,0.5', thresholds)
  .option('--decider', "scores the decider on the task's worked solutions, token by token, instead of the answers", false)
  .action((task: string, options: Thinking & { limit?: number; maxTokens: number; temperature: number; seed?: number; data?: string; mirror: string; tokenEnv?: string; refusal?: string; results: boolean; resume?: string; out?: string; policies?: readonly StudyPolicy[]; thresholds?: readonly number[]; decider: boolean }) =>
    run(options, (terminal, signal) =>
      evalCommand(task, { ...options, policy: thinkingPolicy(options.policy, options.threshold), sampling: samplingOptions(options.temperature, options.seed) }, terminal, signal),
    ),
  );

command('scope', 'which questions of a task are outside of what a model has learned')
  .argument('<task>', 'a task, or a .jsonl file with questions')
  .option('--model <dir>', 'model folder (default: the bundled model)')
  .option('--data <file>', 'the local file of a named task')
  .action((task: string, options: Common & { model?: string; data?: string }) => run(options, (terminal, signal) => scopeCommand(task, options, terminal, signal)));

command('bench', 'speed of the thinking policies, as ratios measured in the same run')
  .option('--model <dir>', 'model folder (default: the bundled model)')
  .option('--rounds <n>', 'rounds', positive, 5)
  .option('--tokens <n>', 'tokens a round', positive, 128)
  .addOption(new Option('--provider <provider>', 'where to run').choices(PROVIDERS).default('auto'))
  .action((options: Common & { model?: string; rounds: number; tokens: number; provider: ProviderChoice }) => run(options, (terminal, signal) => bench(options, terminal, signal)));

command('serve', 'serve models to programs that speak the protocol of OpenAI, on 127.0.0.1 only, with a token')
  .option('--model <dirs...>', 'model folders (default: the bundled model)')
  .option('--port <n>', 'port; 0 takes a free one', wholeNumber, 8737)
  .option('--token-file <file>', 'file with the token (default: $TAH_SERVE_TOKEN, else a new one that is printed)')
  .option('--queue <n>', 'requests that may wait for the engine; more are told to come later', wholeNumber, 16)
  .addOption(new Option('--policy <policy>', 'who decides about second passes').choices(POLICIES).default('decider'))
  .option('--threshold <x>', "a token is sent when its score is greater (default: the model's)", number)
  .addOption(new Option('--provider <provider>', 'where to run').choices(PROVIDERS).default('auto'))
  .action((options: Common & { model?: string[]; port: number; tokenFile?: string; queue: number; policy: PolicyName; threshold?: number; provider: ProviderChoice }) =>
    run(options, (terminal, signal) =>
      serve({ ...options, model: options.model ?? [], verbose: options.verbose === true, policy: thinkingPolicy(options.policy, options.threshold) }, terminal, signal),
    ),
  );

command('diagnose', 'what runs here, in a form to paste into an issue')
  .option('--model <dir>', 'model folder (default: the bundled model)')
  .action((options: Common & { model?: string }) => run(options, (terminal, signal) => diagnose(options.model, terminal, signal)));

command('providers', 'which provider of this machine a model runs on, and why not on the others')
  .option('--model <dir>', 'model folder (default: the bundled model)')
  .option('--again', 'forget what is known of the providers and test them again', false)
  .addOption(new Option('--fetch <runtime>', 'fetch the libraries that a provider needs (Linux x64); asks first and says how large they are').choices(['cuda']))
  .addOption(new Option('--remove <runtime>', 'delete them').choices(['cuda']))
  .option('--yes', 'with --fetch: do not ask', false)
  .option('--mirror <url>', 'with --fetch: a mirror of the files of PyPI (default: $TAH_CUDA_MIRROR, else PyPI)')
  .action((options: Common & { model?: string; again: boolean; fetch?: 'cuda'; remove?: 'cuda'; yes: boolean; mirror?: string }) => run(options, (terminal, signal) => providers(options, terminal, signal)));

command('record-self-test', "write what the CPU answers as the self-test of a checkpoint's providers")
  .requiredOption('--model <dir>', 'model folder that was imported from the checkpoint')
  .requiredOption('--checkpoint <dir>', 'its checkpoint, which gets the file')
  .action((options: Common & { model: string; checkpoint: string }) => run(options, (terminal) => recordSelfTest(options.model, options.checkpoint, terminal)));

command('random-checkpoint', 'write a checkpoint with random weights, for tests of size and speed')
  .addOption(new Option('--shape <shape>', 'its shape').choices(Object.keys(SHAPES)).makeOptionMandatory())
  .requiredOption('--out <dir>', 'folder to create')
  .option('--seed <n>', 'the same seed gives the same bytes', wholeNumber, 0)
  .option('--tah', 'with LoRA and decider', false)
  .action((options: Common & { shape: string; out: string; seed: number; tah: boolean }) =>
    run(options, () => {
      writeRandomCheckpoint(options.shape, options.out, options.seed, options.tah);
    }),
  );

// A reader that goes away (`tah … | head`) ends the output, and with it the work.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void rerunWithCuda(import.meta.dirname).then(async (code) => {
  if (code === null) await program.parseAsync();
  else process.exitCode = code;
});
