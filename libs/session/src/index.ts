export * from './message.js';
export { MAX_MESSAGE_BYTES, Session, type SessionTimes } from './session.js';
