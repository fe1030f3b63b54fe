import type { Action } from './action.js';

export class EnvironmentVariable {
  name: string;
  value: string;
}

/** A small file mounted read-only into the container (service bindings). */
export class File {
  path: string;
  content: string;
}

/** A directory downloaded once per cell and mounted read-only into every container that asks for it. */
export class CachedDependency {
  name?: string;
  from: string;
  to: string;
  cacheKey?: string;
  logSource?: string;
  checksumAlgorithm?: string;
  checksumValue?: string;
}

export class PortRange {
  start: number;
  end: number;
}

export class IcmpInfo {
  type: number;
  code: number;
}

export const SECURITY_GROUP_PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmpv6', 'all'] as const;
export type SecurityGroupProtocol = (typeof SECURITY_GROUP_PROTOCOLS)[number];

/** One allowed direction of outgoing traffic. */
export class SecurityGroupRule {
  protocol: SecurityGroupProtocol;
  destinations: string[];
  ports?: number[];
  portRange?: PortRange;
  icmpInfo?: IcmpInfo;
  log?: boolean;
  annotations?: string[];
}

export class SharedDevice {
  volumeId: string;
  mountConfig?: string;
}

export class DedicatedDevice {
  mounterId: string;
  mountConfig?: string;
  deviceConfig?: string;
}

export class VolumeMount {
  driver: string;
  containerDir?: string;
  mode: 'r' | 'rw';
  shared?: SharedDevice;
  dedicated?: DedicatedDevice;
}

/** A process beside the main action; when any of them ends the instance ends. */
export class Sidecar {
  action: Action;
  diskMb?: number;
  memoryMb?: number;
}

export class ImageLayer {
  name?: string;
  url: string;
  destinationPath: string;
  layerType: 'SHARED' | 'EXCLUSIVE';
  mediaType: 'TGZ' | 'TAR' | 'ZIP';
  digestAlgorithm?: 'SHA256' | 'SHA512';
  digestValue?: string;
}

export class CertificateProperties {
  organizationalUnit?: string[];
}

export class Network {
  properties?: Record<string, string>;
}

/** Exactly one of the two: a literal, or a value the cell fills in per instance. */
export class MetricTagValue {
  static?: string;
  dynamic?: 'INDEX' | 'INSTANCE_GUID';
}

/** -1 is unlimited (the default), 0 drops all output. */
export class LogRateLimit {
  bytesPerSecond: number;
}
