export type { EventFilter, EventItem, EventOptions } from './event-stream.js';
export type { TokenSource } from './http-transport.js';
export * from './rivera-client.js';
