/** Where class-transformer keeps what its decorators said; it exports the types of this, but not the thing itself. */
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
