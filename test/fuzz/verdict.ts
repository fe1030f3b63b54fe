import { gunzipSync } from 'node:zlib';
import { ERROR_CODES } from '#rivera/models';
import type { Answer } from './exchange.js';

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);

/** Paths of what an auctioneer or a cell is asked for. The fuzzed server has neither, and has to say so. */
const ASKS_OTHERS = /\/(?:rebalance|plan|capacity|placement|stats|logs|exec|stream-in|stream-out)$/;
const NOBODY_THERE: Readonly<Record<number, string>> = { 503: 'unavailable', 504: 'cell-unreachable' };

/** What is wrong with an answer, in words; undefined: nothing. `route`: as the document names it. */
export function complaintAbout(answer: Answer, method: string, route: string): string | undefined {
  const { status, headers } = answer;
  const body =
    headers['content-encoding'] === 'gzip' && method !== 'HEAD' ? gunzipSync(answer.body) : answer.body;
  // An answer to HEAD says nothing but its status.
  const { code: said = NOBODY_THERE[status], instance = route } = parsed(body) ?? {};
  const isAbsence = ASKS_OTHERS.test(String(instance)) && said !== undefined && said === NOBODY_THERE[status];
  if (status >= 500 && !isAbsence) return `the answer is ${status}: ${body.toString().slice(0, 300)}`;
  if (status < 400 || method === 'HEAD') return undefined;
  const type = headers['content-type'] ?? 'none';
  if (!type.startsWith('application/problem+json')) {
    return `the refusal ${status} is no problem document, but ${type}: ${body.toString().slice(0, 200)}`;
  }
  const problem = parsed(body);
  if (problem === undefined) return `the refusal ${status} is not JSON: ${body.toString().slice(0, 200)}`;
  const { code, status: told, detail, title, traceId } = problem;
  if (typeof code !== 'string' || !CODES.has(code))
    return `the refusal ${status} has the unknown code ${String(code)}`;
  if (code === 'internal') return 'the refusal says internal';
  if (told !== status) return `the refusal ${status} says it is ${String(told)}`;
  const isWhole = [detail, title, traceId].every((text) => typeof text === 'string' && text !== '');
  return isWhole ? undefined : `the refusal ${status} lacks a text: ${body.toString().slice(0, 300)}`;
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
