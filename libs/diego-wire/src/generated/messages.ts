// Made from ../../proto by `npm run wire-messages`. Changes belong there.

import { type Codec, codecOf, type Int64 } from '../codec.js';

export interface Action {
  downloadAction?: DownloadAction | null;
  uploadAction?: UploadAction | null;
  runAction?: RunAction | null;
  timeoutAction?: TimeoutAction | null;
  emitProgressAction?: EmitProgressAction | null;
  tryAction?: TryAction | null;
  parallelAction?: ParallelAction | null;
  serialAction?: SerialAction | null;
  codependentAction?: CodependentAction | null;
}
export const Action: Codec<Action> = codecOf('Action');

export interface DownloadAction {
  artifact?: string;
  from?: string;
  to?: string;
  cacheKey?: string;
  logSource?: string;
  user?: string;
  checksumAlgorithm?: string;
  checksumValue?: string;
}
export const DownloadAction: Codec<DownloadAction> = codecOf('DownloadAction');

export interface UploadAction {
  artifact?: string;
  from?: string;
  to?: string;
  logSource?: string;
  user?: string;
}
export const UploadAction: Codec<UploadAction> = codecOf('UploadAction');

export interface RunAction {
  path?: string;
  args?: string[];
  dir?: string;
  env?: EnvironmentVariable[];
  resourceLimits?: ResourceLimits | null;
  user?: string;
  logSource?: string;
  suppressLogOutput?: boolean;
  volumeMountedFiles?: File[];
}
export const RunAction: Codec<RunAction> = codecOf('RunAction');

export interface ResourceLimits {
  nofile?: Int64 | null;
  nproc?: Int64 | null;
}
export const ResourceLimits: Codec<ResourceLimits> = codecOf('ResourceLimits');

export interface TimeoutAction {
  action?: Action | null;
  deprecatedTimeoutNs?: Int64;
  logSource?: string;
  timeoutMs?: Int64;
}
export const TimeoutAction: Codec<TimeoutAction> = codecOf('TimeoutAction');

export interface EmitProgressAction {
  action?: Action | null;
  startMessage?: string;
  successMessage?: string;
  failureMessagePrefix?: string;
  logSource?: string;
}
export const EmitProgressAction: Codec<EmitProgressAction> = codecOf('EmitProgressAction');

export interface TryAction {
  action?: Action | null;
  logSource?: string;
}
export const TryAction: Codec<TryAction> = codecOf('TryAction');

export interface ParallelAction {
  actions?: Action[];
  logSource?: string;
}
export const ParallelAction: Codec<ParallelAction> = codecOf('ParallelAction');

export interface SerialAction {
  actions?: Action[];
  logSource?: string;
}
export const SerialAction: Codec<SerialAction> = codecOf('SerialAction');

export interface CodependentAction {
  actions?: Action[];
  logSource?: string;
}
export const CodependentAction: Codec<CodependentAction> = codecOf('CodependentAction');

export interface Sidecar {
  action?: Action | null;
  diskMb?: number;
  memoryMb?: number;
}
export const Sidecar: Codec<Sidecar> = codecOf('Sidecar');

export const ActualLRPPresence = { ORDINARY: 0, EVACUATING: 1, SUSPECT: 2 } as const;
export type ActualLRPPresence = (typeof ActualLRPPresence)[keyof typeof ActualLRPPresence];

export interface ActualLRP {
  actualLrpKey: ActualLRPKey;
  actualLrpInstanceKey: ActualLRPInstanceKey;
  actualLrpNetInfo: ActualLRPNetInfo;
  crashCount?: number;
  crashReason?: string;
  state?: string;
  placementError?: string;
  since?: Int64;
  modificationTag: ModificationTag;
  presence?: ActualLRPPresence;
  actualLrpInternalRoutes?: ActualLRPInternalRoute[];
  metricTags?: Record<string, string>;
  routable?: boolean | null;
  availabilityZone?: string;
}
export const ActualLRP: Codec<ActualLRP> = codecOf('ActualLRP');

export interface ActualLRPKey {
  processGuid?: string;
  index?: number;
  domain?: string;
}
export const ActualLRPKey: Codec<ActualLRPKey> = codecOf('ActualLRPKey');

export interface ActualLRPInstanceKey {
  instanceGuid?: string;
  cellId?: string;
}
export const ActualLRPInstanceKey: Codec<ActualLRPInstanceKey> = codecOf('ActualLRPInstanceKey');

export const ActualLRPNetInfoPreferredAddress = { UNKNOWN: 0, INSTANCE: 1, HOST: 2 } as const;
export type ActualLRPNetInfoPreferredAddress =
  (typeof ActualLRPNetInfoPreferredAddress)[keyof typeof ActualLRPNetInfoPreferredAddress];

export interface ActualLRPNetInfo {
  address?: string;
  ports?: PortMapping[];
  instanceAddress?: string;
  preferredAddress?: ActualLRPNetInfoPreferredAddress;
  instanceIpv6Address?: string;
}
export const ActualLRPNetInfo: Codec<ActualLRPNetInfo> = codecOf('ActualLRPNetInfo');

export interface PortMapping {
  containerPort?: number;
  hostPort?: number;
  containerTlsProxyPort?: number;
  hostTlsProxyPort?: number;
}
export const PortMapping: Codec<PortMapping> = codecOf('PortMapping');

export interface ActualLRPInternalRoute {
  hostname?: string;
}
export const ActualLRPInternalRoute: Codec<ActualLRPInternalRoute> = codecOf('ActualLRPInternalRoute');

export interface ModificationTag {
  epoch?: string;
  index?: number;
}
export const ModificationTag: Codec<ModificationTag> = codecOf('ModificationTag');

export interface ActualLRPsRequest {
  domain?: string;
  cellId?: string;
  processGuid?: string;
  index?: number | null;
}
export const ActualLRPsRequest: Codec<ActualLRPsRequest> = codecOf('ActualLRPsRequest');

export interface ActualLRPsResponse {
  error?: Error | null;
  actualLrps?: ActualLRP[];
}
export const ActualLRPsResponse: Codec<ActualLRPsResponse> = codecOf('ActualLRPsResponse');

export interface ActualLRPsByProcessGuidsRequest {
  processGuids?: string[];
}
export const ActualLRPsByProcessGuidsRequest: Codec<ActualLRPsByProcessGuidsRequest> = codecOf(
  'ActualLRPsByProcessGuidsRequest',
);

export interface ActualLRPsByProcessGuidsResponse {
  error?: Error | null;
  actualLrps?: ActualLRP[];
}
export const ActualLRPsByProcessGuidsResponse: Codec<ActualLRPsByProcessGuidsResponse> = codecOf(
  'ActualLRPsByProcessGuidsResponse',
);

export interface ClaimActualLRPRequest {
  processGuid?: string;
  index?: number;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
}
export const ClaimActualLRPRequest: Codec<ClaimActualLRPRequest> = codecOf('ClaimActualLRPRequest');

export interface StartActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
  actualLrpNetInfo?: ActualLRPNetInfo | null;
  actualLrpInternalRoutes?: ActualLRPInternalRoute[];
  metricTags?: Record<string, string>;
  routable?: boolean | null;
  availabilityZone?: string;
}
export const StartActualLRPRequest: Codec<StartActualLRPRequest> = codecOf('StartActualLRPRequest');

export interface CrashActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
  errorMessage?: string;
}
export const CrashActualLRPRequest: Codec<CrashActualLRPRequest> = codecOf('CrashActualLRPRequest');

export interface FailActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  errorMessage?: string;
}
export const FailActualLRPRequest: Codec<FailActualLRPRequest> = codecOf('FailActualLRPRequest');

export interface RemoveActualLRPRequest {
  processGuid?: string;
  index?: number;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
}
export const RemoveActualLRPRequest: Codec<RemoveActualLRPRequest> = codecOf('RemoveActualLRPRequest');

export interface RetireActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
}
export const RetireActualLRPRequest: Codec<RetireActualLRPRequest> = codecOf('RetireActualLRPRequest');

export interface ActualLRPLifecycleResponse {
  error?: Error | null;
}
export const ActualLRPLifecycleResponse: Codec<ActualLRPLifecycleResponse> = codecOf(
  'ActualLRPLifecycleResponse',
);

export const ErrorType = {
  UnknownError: 0,
  InvalidRecord: 3,
  InvalidRequest: 4,
  InvalidResponse: 5,
  InvalidProtobufMessage: 6,
  InvalidJSON: 7,
  FailedToOpenEnvelope: 8,
  InvalidStateTransition: 9,
  ResourceConflict: 11,
  ResourceExists: 12,
  ResourceNotFound: 13,
  RouterError: 14,
  ActualLRPCannotBeClaimed: 15,
  ActualLRPCannotBeStarted: 16,
  ActualLRPCannotBeCrashed: 17,
  ActualLRPCannotBeFailed: 18,
  ActualLRPCannotBeRemoved: 19,
  ActualLRPCannotBeUnclaimed: 21,
  RunningOnDifferentCell: 24,
  GUIDGeneration: 26,
  Deserialize: 27,
  Deadlock: 28,
  Unrecoverable: 29,
  LockCollision: 30,
  Timeout: 31,
} as const;
export type ErrorType = (typeof ErrorType)[keyof typeof ErrorType];

export interface Error {
  type?: ErrorType;
  message?: string;
}
export const Error: Codec<Error> = codecOf('Error');

export interface PingResponse {
  available?: boolean;
}
export const PingResponse: Codec<PingResponse> = codecOf('PingResponse');

export interface DomainsResponse {
  error?: Error | null;
  domains?: string[];
}
export const DomainsResponse: Codec<DomainsResponse> = codecOf('DomainsResponse');

export interface UpsertDomainRequest {
  domain?: string;
  ttl?: number;
}
export const UpsertDomainRequest: Codec<UpsertDomainRequest> = codecOf('UpsertDomainRequest');

export interface UpsertDomainResponse {
  error?: Error | null;
}
export const UpsertDomainResponse: Codec<UpsertDomainResponse> = codecOf('UpsertDomainResponse');

export interface CellsResponse {
  error?: Error | null;
  cells?: CellPresence[];
}
export const CellsResponse: Codec<CellsResponse> = codecOf('CellsResponse');

export interface CellPresence {
  cellId?: string;
  repAddress?: string;
  zone?: string;
  capacity?: CellCapacity | null;
  rootfsProviders?: Provider[];
  placementTags?: string[];
  optionalPlacementTags?: string[];
  repUrl?: string;
  annotations?: Record<string, string>;
}
export const CellPresence: Codec<CellPresence> = codecOf('CellPresence');

export interface CellCapacity {
  memoryMb?: number;
  diskMb?: number;
  containers?: number;
}
export const CellCapacity: Codec<CellCapacity> = codecOf('CellCapacity');

export interface Provider {
  name?: string;
  properties?: string[];
}
export const Provider: Codec<Provider> = codecOf('Provider');

export interface EnvironmentVariable {
  name?: string;
  value?: string;
}
export const EnvironmentVariable: Codec<EnvironmentVariable> = codecOf('EnvironmentVariable');

export interface File {
  path?: string;
  content?: string;
}
export const File: Codec<File> = codecOf('File');

export interface CachedDependency {
  name?: string;
  from?: string;
  to?: string;
  cacheKey?: string;
  logSource?: string;
  checksumAlgorithm?: string;
  checksumValue?: string;
}
export const CachedDependency: Codec<CachedDependency> = codecOf('CachedDependency');

export interface SecurityGroupRule {
  protocol?: string;
  destinations?: string[];
  ports?: number[];
  portRange?: PortRange | null;
  icmpInfo?: ICMPInfo | null;
  log?: boolean;
  annotations?: string[];
}
export const SecurityGroupRule: Codec<SecurityGroupRule> = codecOf('SecurityGroupRule');

export interface PortRange {
  start?: number;
  end?: number;
}
export const PortRange: Codec<PortRange> = codecOf('PortRange');

export interface ICMPInfo {
  type?: number;
  code?: number;
}
export const ICMPInfo: Codec<ICMPInfo> = codecOf('ICMPInfo');

export interface VolumeMount {
  driver?: string;
  containerDir?: string;
  mode?: string;
  shared?: SharedDevice | null;
  dedicated?: DedicatedDevice | null;
}
export const VolumeMount: Codec<VolumeMount> = codecOf('VolumeMount');

export interface SharedDevice {
  volumeId?: string;
  mountConfig?: string;
}
export const SharedDevice: Codec<SharedDevice> = codecOf('SharedDevice');

export interface DedicatedDevice {
  mounterId?: string;
  mountConfig?: string;
  deviceConfig?: string;
}
export const DedicatedDevice: Codec<DedicatedDevice> = codecOf('DedicatedDevice');

export const ImageLayerType = { LayerTypeInvalid: 0, SHARED: 1, EXCLUSIVE: 2 } as const;
export type ImageLayerType = (typeof ImageLayerType)[keyof typeof ImageLayerType];

export const ImageLayerMediaType = { MediaTypeInvalid: 0, TGZ: 1, TAR: 2, ZIP: 3 } as const;
export type ImageLayerMediaType = (typeof ImageLayerMediaType)[keyof typeof ImageLayerMediaType];

export const ImageLayerDigestAlgorithm = { DigestAlgorithmInvalid: 0, SHA256: 1, SHA512: 2 } as const;
export type ImageLayerDigestAlgorithm =
  (typeof ImageLayerDigestAlgorithm)[keyof typeof ImageLayerDigestAlgorithm];

export interface ImageLayer {
  name?: string;
  url?: string;
  destinationPath?: string;
  layerType?: ImageLayerType;
  mediaType?: ImageLayerMediaType;
  digestAlgorithm?: ImageLayerDigestAlgorithm;
  digestValue?: string;
}
export const ImageLayer: Codec<ImageLayer> = codecOf('ImageLayer');

export interface CertificateProperties {
  organizationalUnit?: string[];
}
export const CertificateProperties: Codec<CertificateProperties> = codecOf('CertificateProperties');

export interface Network {
  properties?: Record<string, string>;
}
export const Network: Codec<Network> = codecOf('Network');

export const MetricTagValueDynamicValue = { DynamicValueInvalid: 0, INDEX: 1, INSTANCE_GUID: 2 } as const;
export type MetricTagValueDynamicValue =
  (typeof MetricTagValueDynamicValue)[keyof typeof MetricTagValueDynamicValue];

export interface MetricTagValue {
  static?: string;
  dynamic?: MetricTagValueDynamicValue;
}
export const MetricTagValue: Codec<MetricTagValue> = codecOf('MetricTagValue');

export interface LogRateLimit {
  bytesPerSecond?: Int64;
}
export const LogRateLimit: Codec<LogRateLimit> = codecOf('LogRateLimit');

export interface CheckDefinition {
  checks?: Check[];
  logSource?: string;
  readinessChecks?: Check[];
}
export const CheckDefinition: Codec<CheckDefinition> = codecOf('CheckDefinition');

export interface Check {
  tcpCheck?: TCPCheck | null;
  httpCheck?: HTTPCheck | null;
}
export const Check: Codec<Check> = codecOf('Check');

export interface TCPCheck {
  port?: number;
  connectTimeoutMs?: Int64;
  intervalMs?: Int64;
}
export const TCPCheck: Codec<TCPCheck> = codecOf('TCPCheck');

export interface HTTPCheck {
  port?: number;
  requestTimeoutMs?: Int64;
  path?: string;
  intervalMs?: Int64;
}
export const HTTPCheck: Codec<HTTPCheck> = codecOf('HTTPCheck');

export interface ActualLRPGroup {
  instance?: ActualLRP | null;
  evacuating?: ActualLRP | null;
}
export const ActualLRPGroup: Codec<ActualLRPGroup> = codecOf('ActualLRPGroup');

export interface ActualLRPGroupsRequest {
  domain?: string;
  cellId?: string;
}
export const ActualLRPGroupsRequest: Codec<ActualLRPGroupsRequest> = codecOf('ActualLRPGroupsRequest');

export interface ActualLRPGroupsByProcessGuidRequest {
  processGuid?: string;
}
export const ActualLRPGroupsByProcessGuidRequest: Codec<ActualLRPGroupsByProcessGuidRequest> = codecOf(
  'ActualLRPGroupsByProcessGuidRequest',
);

export interface ActualLRPGroupByProcessGuidAndIndexRequest {
  processGuid?: string;
  index?: number;
}
export const ActualLRPGroupByProcessGuidAndIndexRequest: Codec<ActualLRPGroupByProcessGuidAndIndexRequest> =
  codecOf('ActualLRPGroupByProcessGuidAndIndexRequest');

export interface ActualLRPGroupsResponse {
  error?: Error | null;
  actualLrpGroups?: ActualLRPGroup[];
}
export const ActualLRPGroupsResponse: Codec<ActualLRPGroupsResponse> = codecOf('ActualLRPGroupsResponse');

export interface ActualLRPGroupResponse {
  error?: Error | null;
  actualLrpGroup?: ActualLRPGroup | null;
}
export const ActualLRPGroupResponse: Codec<ActualLRPGroupResponse> = codecOf('ActualLRPGroupResponse');

export interface ActualLRPCreatedEvent {
  actualLrpGroup?: ActualLRPGroup | null;
}
export const ActualLRPCreatedEvent: Codec<ActualLRPCreatedEvent> = codecOf('ActualLRPCreatedEvent');

export interface ActualLRPChangedEvent {
  before?: ActualLRPGroup | null;
  after?: ActualLRPGroup | null;
}
export const ActualLRPChangedEvent: Codec<ActualLRPChangedEvent> = codecOf('ActualLRPChangedEvent');

export interface ActualLRPRemovedEvent {
  actualLrpGroup?: ActualLRPGroup | null;
}
export const ActualLRPRemovedEvent: Codec<ActualLRPRemovedEvent> = codecOf('ActualLRPRemovedEvent');

export const DesiredLRPUpdateStrategy = { ROLLING: 0, RECREATE: 1 } as const;
export type DesiredLRPUpdateStrategy =
  (typeof DesiredLRPUpdateStrategy)[keyof typeof DesiredLRPUpdateStrategy];

export interface DesiredLRP {
  processGuid?: string;
  domain?: string;
  rootFs?: string;
  instances?: number;
  environmentVariables?: EnvironmentVariable[];
  setup?: Action | null;
  action?: Action | null;
  deprecatedStartTimeoutS?: number;
  monitor?: Action | null;
  diskMb?: number;
  memoryMb?: number;
  cpuWeight?: number;
  privileged?: boolean;
  ports?: number[];
  routes?: ProtoRoutes | null;
  logSource?: string;
  logGuid?: string;
  metricsGuid?: string;
  annotation?: string;
  egressRules?: SecurityGroupRule[];
  modificationTag?: ModificationTag | null;
  cachedDependencies?: CachedDependency[];
  legacyDownloadUser?: string;
  trustedSystemCertificatesPath?: string;
  volumeMounts?: VolumeMount[];
  network?: Network | null;
  startTimeoutMs?: Int64;
  placementTags?: string[];
  maxPids?: number;
  certificateProperties?: CertificateProperties | null;
  imageUsername?: string;
  imagePassword?: string;
  checkDefinition?: CheckDefinition | null;
  imageLayers?: ImageLayer[];
  metricTags?: Record<string, MetricTagValue>;
  sidecars?: Sidecar[];
  logRateLimit?: LogRateLimit | null;
  volumeMountedFiles?: File[];
  updateStrategy?: DesiredLRPUpdateStrategy;
}
export const DesiredLRP: Codec<DesiredLRP> = codecOf('DesiredLRP');

export interface ProtoRoutes {
  routes?: Record<string, Uint8Array>;
}
export const ProtoRoutes: Codec<ProtoRoutes> = codecOf('ProtoRoutes');

export interface DesiredLRPSchedulingInfo {
  desiredLrpKey: DesiredLRPKey;
  annotation?: string;
  instances?: number;
  desiredLrpResource: DesiredLRPResource;
  routes: ProtoRoutes;
  modificationTag: ModificationTag;
  volumePlacement?: VolumePlacement | null;
  placementTags?: string[];
}
export const DesiredLRPSchedulingInfo: Codec<DesiredLRPSchedulingInfo> = codecOf('DesiredLRPSchedulingInfo');

export interface DesiredLRPKey {
  processGuid?: string;
  domain?: string;
  logGuid?: string;
}
export const DesiredLRPKey: Codec<DesiredLRPKey> = codecOf('DesiredLRPKey');

export interface DesiredLRPResource {
  memoryMb?: number;
  diskMb?: number;
  rootFs?: string;
  maxPids?: number;
}
export const DesiredLRPResource: Codec<DesiredLRPResource> = codecOf('DesiredLRPResource');

export interface VolumePlacement {
  driverNames?: string[];
}
export const VolumePlacement: Codec<VolumePlacement> = codecOf('VolumePlacement');

export interface DesiredLRPUpdate {
  instances?: number | null;
  routes?: ProtoRoutes | null;
  annotation?: string | null;
  metricTags?: Record<string, MetricTagValue>;
  imageUsername?: string | null;
  imagePassword?: string | null;
}
export const DesiredLRPUpdate: Codec<DesiredLRPUpdate> = codecOf('DesiredLRPUpdate');

export interface DesiredLRPsRequest {
  domain?: string;
  processGuids?: string[];
  appGuids?: string[];
}
export const DesiredLRPsRequest: Codec<DesiredLRPsRequest> = codecOf('DesiredLRPsRequest');

export interface DesiredLRPsResponse {
  error?: Error | null;
  desiredLrps?: DesiredLRP[];
}
export const DesiredLRPsResponse: Codec<DesiredLRPsResponse> = codecOf('DesiredLRPsResponse');

export interface DesiredLRPByProcessGuidRequest {
  processGuid?: string;
}
export const DesiredLRPByProcessGuidRequest: Codec<DesiredLRPByProcessGuidRequest> = codecOf(
  'DesiredLRPByProcessGuidRequest',
);

export interface DesiredLRPResponse {
  error?: Error | null;
  desiredLrp?: DesiredLRP | null;
}
export const DesiredLRPResponse: Codec<DesiredLRPResponse> = codecOf('DesiredLRPResponse');

export interface DesiredLRPSchedulingInfosResponse {
  error?: Error | null;
  desiredLrpSchedulingInfos?: DesiredLRPSchedulingInfo[];
}
export const DesiredLRPSchedulingInfosResponse: Codec<DesiredLRPSchedulingInfosResponse> = codecOf(
  'DesiredLRPSchedulingInfosResponse',
);

export interface DesiredLRPSchedulingInfoByProcessGuidResponse {
  error?: Error | null;
  desiredLrpSchedulingInfo?: DesiredLRPSchedulingInfo | null;
}
export const DesiredLRPSchedulingInfoByProcessGuidResponse: Codec<DesiredLRPSchedulingInfoByProcessGuidResponse> =
  codecOf('DesiredLRPSchedulingInfoByProcessGuidResponse');

export interface DesireLRPRequest {
  desiredLrp?: DesiredLRP | null;
}
export const DesireLRPRequest: Codec<DesireLRPRequest> = codecOf('DesireLRPRequest');

export interface UpdateDesiredLRPRequest {
  processGuid?: string;
  update?: DesiredLRPUpdate | null;
}
export const UpdateDesiredLRPRequest: Codec<UpdateDesiredLRPRequest> = codecOf('UpdateDesiredLRPRequest');

export interface RemoveDesiredLRPRequest {
  processGuid?: string;
}
export const RemoveDesiredLRPRequest: Codec<RemoveDesiredLRPRequest> = codecOf('RemoveDesiredLRPRequest');

export interface DesiredLRPLifecycleResponse {
  error?: Error | null;
}
export const DesiredLRPLifecycleResponse: Codec<DesiredLRPLifecycleResponse> = codecOf(
  'DesiredLRPLifecycleResponse',
);

export interface RemoveEvacuatingActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
}
export const RemoveEvacuatingActualLRPRequest: Codec<RemoveEvacuatingActualLRPRequest> = codecOf(
  'RemoveEvacuatingActualLRPRequest',
);

export interface RemoveEvacuatingActualLRPResponse {
  error?: Error | null;
}
export const RemoveEvacuatingActualLRPResponse: Codec<RemoveEvacuatingActualLRPResponse> = codecOf(
  'RemoveEvacuatingActualLRPResponse',
);

export interface EvacuateClaimedActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
}
export const EvacuateClaimedActualLRPRequest: Codec<EvacuateClaimedActualLRPRequest> = codecOf(
  'EvacuateClaimedActualLRPRequest',
);

export interface EvacuateCrashedActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
  errorMessage?: string;
}
export const EvacuateCrashedActualLRPRequest: Codec<EvacuateCrashedActualLRPRequest> = codecOf(
  'EvacuateCrashedActualLRPRequest',
);

export interface EvacuateStoppedActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
}
export const EvacuateStoppedActualLRPRequest: Codec<EvacuateStoppedActualLRPRequest> = codecOf(
  'EvacuateStoppedActualLRPRequest',
);

export interface EvacuateRunningActualLRPRequest {
  actualLrpKey?: ActualLRPKey | null;
  actualLrpInstanceKey?: ActualLRPInstanceKey | null;
  actualLrpNetInfo?: ActualLRPNetInfo | null;
  actualLrpInternalRoutes?: ActualLRPInternalRoute[];
  metricTags?: Record<string, string>;
  routable?: boolean | null;
  availabilityZone?: string;
}
export const EvacuateRunningActualLRPRequest: Codec<EvacuateRunningActualLRPRequest> = codecOf(
  'EvacuateRunningActualLRPRequest',
);

export interface EvacuationResponse {
  error?: Error | null;
  keepContainer?: boolean;
}
export const EvacuationResponse: Codec<EvacuationResponse> = codecOf('EvacuationResponse');

export interface ActualLRPInstanceCreatedEvent {
  actualLrp?: ActualLRP | null;
  traceId?: string;
}
export const ActualLRPInstanceCreatedEvent: Codec<ActualLRPInstanceCreatedEvent> = codecOf(
  'ActualLRPInstanceCreatedEvent',
);

export interface ActualLRPInstanceChangedEvent {
  actualLrpKey: ActualLRPKey;
  actualLrpInstanceKey: ActualLRPInstanceKey;
  before?: ActualLRPInfo | null;
  after?: ActualLRPInfo | null;
  traceId?: string;
}
export const ActualLRPInstanceChangedEvent: Codec<ActualLRPInstanceChangedEvent> = codecOf(
  'ActualLRPInstanceChangedEvent',
);

export interface ActualLRPInfo {
  actualLrpNetInfo: ActualLRPNetInfo;
  crashCount?: number;
  crashReason?: string;
  state?: string;
  placementError?: string;
  since?: Int64;
  modificationTag: ModificationTag;
  presence?: ActualLRPPresence;
  routable?: boolean | null;
  availabilityZone?: string;
}
export const ActualLRPInfo: Codec<ActualLRPInfo> = codecOf('ActualLRPInfo');

export interface ActualLRPInstanceRemovedEvent {
  actualLrp?: ActualLRP | null;
  traceId?: string;
}
export const ActualLRPInstanceRemovedEvent: Codec<ActualLRPInstanceRemovedEvent> = codecOf(
  'ActualLRPInstanceRemovedEvent',
);

export interface ActualLRPCrashedEvent {
  actualLrpKey: ActualLRPKey;
  actualLrpInstanceKey: ActualLRPInstanceKey;
  crashCount?: number;
  crashReason?: string;
  since?: Int64;
}
export const ActualLRPCrashedEvent: Codec<ActualLRPCrashedEvent> = codecOf('ActualLRPCrashedEvent');

export interface DesiredLRPCreatedEvent {
  desiredLrp?: DesiredLRP | null;
  traceId?: string;
}
export const DesiredLRPCreatedEvent: Codec<DesiredLRPCreatedEvent> = codecOf('DesiredLRPCreatedEvent');

export interface DesiredLRPChangedEvent {
  before?: DesiredLRP | null;
  after?: DesiredLRP | null;
  traceId?: string;
}
export const DesiredLRPChangedEvent: Codec<DesiredLRPChangedEvent> = codecOf('DesiredLRPChangedEvent');

export interface DesiredLRPRemovedEvent {
  desiredLrp?: DesiredLRP | null;
  traceId?: string;
}
export const DesiredLRPRemovedEvent: Codec<DesiredLRPRemovedEvent> = codecOf('DesiredLRPRemovedEvent');

export interface TaskCreatedEvent {
  task?: Task | null;
}
export const TaskCreatedEvent: Codec<TaskCreatedEvent> = codecOf('TaskCreatedEvent');

export interface TaskChangedEvent {
  before?: Task | null;
  after?: Task | null;
}
export const TaskChangedEvent: Codec<TaskChangedEvent> = codecOf('TaskChangedEvent');

export interface TaskRemovedEvent {
  task?: Task | null;
}
export const TaskRemovedEvent: Codec<TaskRemovedEvent> = codecOf('TaskRemovedEvent');

export interface EventsByCellId {
  cellId?: string;
}
export const EventsByCellId: Codec<EventsByCellId> = codecOf('EventsByCellId');

export const TypeCode = { UNKNOWN: 0, LOCK: 1, PRESENCE: 2 } as const;
export type TypeCode = (typeof TypeCode)[keyof typeof TypeCode];

export interface Resource {
  key?: string;
  owner?: string;
  value?: string;
  type?: string;
  typeCode?: TypeCode;
}
export const Resource: Codec<Resource> = codecOf('Resource');

export interface LockRequest {
  resource?: Resource | null;
  ttlInSeconds?: Int64;
}
export const LockRequest: Codec<LockRequest> = codecOf('LockRequest');

export interface LockResponse {}
export const LockResponse: Codec<LockResponse> = codecOf('LockResponse');

export interface ReleaseRequest {
  resource?: Resource | null;
}
export const ReleaseRequest: Codec<ReleaseRequest> = codecOf('ReleaseRequest');

export interface ReleaseResponse {}
export const ReleaseResponse: Codec<ReleaseResponse> = codecOf('ReleaseResponse');

export interface FetchRequest {
  key?: string;
}
export const FetchRequest: Codec<FetchRequest> = codecOf('FetchRequest');

export interface FetchResponse {
  resource?: Resource | null;
}
export const FetchResponse: Codec<FetchResponse> = codecOf('FetchResponse');

export interface FetchAllRequest {
  type?: string;
  typeCode?: TypeCode;
}
export const FetchAllRequest: Codec<FetchAllRequest> = codecOf('FetchAllRequest');

export interface FetchAllResponse {
  resources?: Resource[];
}
export const FetchAllResponse: Codec<FetchAllResponse> = codecOf('FetchAllResponse');

export const TaskState = { Invalid: 0, Pending: 1, Running: 2, Completed: 3, Resolving: 4 } as const;
export type TaskState = (typeof TaskState)[keyof typeof TaskState];

export interface Task {
  taskDefinition?: TaskDefinition | null;
  taskGuid?: string;
  domain?: string;
  createdAt?: Int64;
  updatedAt?: Int64;
  firstCompletedAt?: Int64;
  state?: TaskState;
  cellId?: string;
  result?: string;
  failed?: boolean;
  failureReason?: string;
  rejectionCount?: number;
  rejectionReason?: string;
}
export const Task: Codec<Task> = codecOf('Task');

export interface TaskDefinition {
  rootFs?: string;
  environmentVariables?: EnvironmentVariable[];
  action?: Action | null;
  diskMb?: number;
  memoryMb?: number;
  cpuWeight?: number;
  privileged?: boolean;
  logSource?: string;
  logGuid?: string;
  metricsGuid?: string;
  resultFile?: string;
  completionCallbackUrl?: string;
  annotation?: string;
  egressRules?: SecurityGroupRule[];
  cachedDependencies?: CachedDependency[];
  legacyDownloadUser?: string;
  trustedSystemCertificatesPath?: string;
  volumeMounts?: VolumeMount[];
  network?: Network | null;
  placementTags?: string[];
  maxPids?: number;
  certificateProperties?: CertificateProperties | null;
  imageUsername?: string;
  imagePassword?: string;
  imageLayers?: ImageLayer[];
  logRateLimit?: LogRateLimit | null;
  metricTags?: Record<string, MetricTagValue>;
  volumeMountedFiles?: File[];
}
export const TaskDefinition: Codec<TaskDefinition> = codecOf('TaskDefinition');

export interface DesireTaskRequest {
  taskDefinition?: TaskDefinition | null;
  taskGuid?: string;
  domain?: string;
}
export const DesireTaskRequest: Codec<DesireTaskRequest> = codecOf('DesireTaskRequest');

export interface StartTaskRequest {
  taskGuid?: string;
  cellId?: string;
}
export const StartTaskRequest: Codec<StartTaskRequest> = codecOf('StartTaskRequest');

export interface StartTaskResponse {
  error?: Error | null;
  shouldStart?: boolean;
}
export const StartTaskResponse: Codec<StartTaskResponse> = codecOf('StartTaskResponse');

export interface RejectTaskRequest {
  taskGuid?: string;
  rejectionReason?: string;
}
export const RejectTaskRequest: Codec<RejectTaskRequest> = codecOf('RejectTaskRequest');

export interface CompleteTaskRequest {
  taskGuid?: string;
  cellId?: string;
  failed?: boolean;
  failureReason?: string;
  result?: string;
}
export const CompleteTaskRequest: Codec<CompleteTaskRequest> = codecOf('CompleteTaskRequest');

export interface TaskGuidRequest {
  taskGuid?: string;
}
export const TaskGuidRequest: Codec<TaskGuidRequest> = codecOf('TaskGuidRequest');

export interface FailTaskRequest {
  taskGuid?: string;
  failureReason?: string;
}
export const FailTaskRequest: Codec<FailTaskRequest> = codecOf('FailTaskRequest');

export interface TaskLifecycleResponse {
  error?: Error | null;
}
export const TaskLifecycleResponse: Codec<TaskLifecycleResponse> = codecOf('TaskLifecycleResponse');

export interface TasksRequest {
  domain?: string;
  cellId?: string;
}
export const TasksRequest: Codec<TasksRequest> = codecOf('TasksRequest');

export interface TasksResponse {
  error?: Error | null;
  tasks?: Task[];
}
export const TasksResponse: Codec<TasksResponse> = codecOf('TasksResponse');

export interface TaskByGuidRequest {
  taskGuid?: string;
}
export const TaskByGuidRequest: Codec<TaskByGuidRequest> = codecOf('TaskByGuidRequest');

export interface TaskResponse {
  error?: Error | null;
  task?: Task | null;
}
export const TaskResponse: Codec<TaskResponse> = codecOf('TaskResponse');
