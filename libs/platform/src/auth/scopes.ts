/** What a token may allow, per resource and verb. No scope implies another. */
export const SCOPES = [
  'lrps:read',
  'lrps:write',
  'lrps:exec',
  'tasks:read',
  'tasks:write',
  'cells:read',
  'cells:operate',
  'domains:read',
  'domains:write',
  'events:read',
  'admin:read',
  'admin:write',
  'cell',
] as const;

/** `cell` is the scope of a cell agent; its token also says which cell it is. */
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
