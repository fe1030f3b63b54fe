export type { EventFilter, EventItem, EventOptions } from './event-stream.js';
export type { TokenSource } from './http-transport.js';
export * from './rivera-client.js';
export type { FailedLogs, LogOptions, LogQuery, LogStreamItem } from './log-stream.js';
export type { RemoteProcess } from './remote-process.js';
