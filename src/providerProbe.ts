/** Main of the process in which a provider is tested: forked by the engine, answers once and ends, or dies of it. */
import { serveProbe } from './engine/providers/probe.ts';

serveProbe();
