export * from './action.js';
export * from './actual-lrp.js';
export * from './cell.js';
export * from './cell-requests.js';
export * from './check-definition.js';
export * from './container-parts.js';
export * from './container-spec.js';
export * from './deployment.js';
export * from './desired-lrp.js';
export * from './domain-request.js';
export * from './errors.js';
export * from './event.js';
export * from './exec.js';
export * from './export-file.js';
export * from './held-resources.js';
export * from './image-layer.js';
export * from './import-requests.js';
export * from './log.js';
export * from './messages.js';
export * from './modification-tag.js';
export * from './net-info.js';
export * from './placement.js';
export * from './placement-rules.js';
export * from './rebalance.js';
export * from './report.js';
export * from './restart-policy.js';
export * from './security-group-rule.js';
export * from './session.js';
export * from './sidecar.js';
export * from './stats.js';
export * from './stored-records.js';
export * from './task.js';
export * from './volume-mount.js';
export { flattenErrors } from './validation/flatten-errors.js';
export { LIMITS, MAX_INT32 } from './validation/limits.js';
export { parse } from './validation/parse.js';
export { requirePlainJson } from './validation/require-plain-json.js';
export { Optional, propertyRule } from './validation/rule.js';
export {
  ExactlyOneOf,
  IsCellId,
  IsDomainName,
  IsFlag,
  IsGuid,
  IsInteger,
  IsName,
  IsNameList,
  IsOneOf,
  IsPart,
  IsPartList,
  IsRootfs,
  IsText,
  IsTextList,
  IsTextMap,
} from './validation/rules.js';
