export * from './codec.js';
export * from './generated/messages.js';
