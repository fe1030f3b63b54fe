export { type Codec, type Int64, MalformedMessage, nanosecondsOf, toNumber } from './codec.js';
export { BackwardWriter } from './backward-writer.js';
export * from './fields.js';
export * from './generated/messages.js';
