import { randomUUID } from 'node:crypto';
import {
  type Action,
  type ActualLRP,
  type Cell,
  type DesiredLRPRequest,
  type DesiredLRPSchedulingInfo,
  type EnvironmentVariable,
  type ModificationTag,
  type Task,
  type TaskDefinition,
  splitDesiredLRP,
} from '#rivera/models';

/** An object of plain fields, which may be spread; the classes of the models describe it. */
export type Plain<T> = { [Field in keyof T]: T[Field] };

/** Some moment; tests that care about time pass their own. */
export const BUILT_AT = Date.UTC(2026, 0, 1);

export function aTag(overrides: Partial<ModificationTag> = {}): Plain<ModificationTag> {
  return { epoch: randomUUID(), index: 0, ...overrides };
}

export function aRunAction(path = '/bin/sleep', ...args: string[]): Plain<Action> {
  return { run: { path, args: args.length === 0 ? ['3600'] : args, user: 'vcap' } };
}

/** A small valid request with a process guid of its own. */
export function aDesiredLRP(overrides: Partial<DesiredLRPRequest> = {}): Plain<DesiredLRPRequest> {
  return {
    processGuid: `process-${randomUUID()}`,
    domain: 'some-domain',
    instances: 1,
    rootfs: 'preloaded:cflinuxfs4',
    memoryMb: 64,
    diskMb: 128,
    action: aRunAction(),
    ...overrides,
  };
}

/** The scheduling half of `aDesiredLRP`, as a record. */
export function aSchedulingInfo(overrides: Partial<DesiredLRPSchedulingInfo> = {}): DesiredLRPSchedulingInfo {
  return { ...splitDesiredLRP(aDesiredLRP(), aTag()).schedulingInfo, ...overrides };
}

/** An UNCLAIMED instance. */
export function anActualLRP(overrides: Partial<ActualLRP> = {}): ActualLRP {
  return {
    processGuid: `process-${randomUUID()}`,
    index: 0,
    domain: 'some-domain',
    state: 'UNCLAIMED',
    presence: 'ORDINARY',
    since: BUILT_AT,
    modificationTag: aTag(),
    crashCount: 0,
    resources: { memoryMb: 64, diskMb: 128 },
    ...overrides,
  };
}

/** A RUNNING instance with an instance key and net info. */
export function aRunningActualLRP(overrides: Partial<ActualLRP> = {}): ActualLRP {
  return anActualLRP({
    state: 'RUNNING',
    instanceGuid: randomUUID(),
    cellId: 'cell-1',
    netInfo: {
      address: '10.0.0.1',
      ports: [{ containerPort: 8080, hostPort: 61_001 }],
      instanceAddress: '10.255.0.7',
    },
    routable: true,
    availabilityZone: 'z1',
    ...overrides,
  });
}

export function aTaskDefinition(overrides: Partial<TaskDefinition> = {}): Plain<TaskDefinition> {
  return {
    rootfs: 'preloaded:cflinuxfs4',
    memoryMb: 64,
    diskMb: 128,
    action: aRunAction('/bin/true', '-v'),
    ...overrides,
  };
}

/** A PENDING task record. */
export function aTask(overrides: Partial<Task> = {}): Task {
  return {
    taskGuid: `task-${randomUUID()}`,
    domain: 'some-domain',
    definition: aTaskDefinition(),
    state: 'PENDING',
    createdAt: BUILT_AT,
    updatedAt: BUILT_AT,
    modificationTag: aTag(),
    rejectionCount: 0,
    ...overrides,
  };
}

/** A PRESENT cell with room for 250 containers. */
export function aCell(overrides: Partial<Cell> = {}): Cell {
  return {
    cellId: `cell-${randomUUID()}`,
    zone: 'z1',
    address: '10.0.0.1',
    backend: 'fake',
    capacity: { memoryMb: 16_384, diskMb: 65_536, containers: 250 },
    rootfsProviders: [{ scheme: 'preloaded', stacks: ['cflinuxfs4'] }, { scheme: 'docker' }],
    state: 'PRESENT',
    since: BUILT_AT,
    epoch: 1,
    modificationTag: aTag(),
    ...overrides,
  };
}

function environment(count: number, prefix: string): EnvironmentVariable[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}_${index}`,
    value: `a value of some length, number ${index}`,
  }));
}

/** What a platform on top of Rivera really asks for: 5–6 kB of JSON with most features in use. */
export function aRealisticDesiredLRP(overrides: Partial<DesiredLRPRequest> = {}): Plain<DesiredLRPRequest> {
  const user = 'vcap';
  const appGuid = randomUUID();
  return aDesiredLRP({
    processGuid: `${appGuid}-${randomUUID()}`,
    domain: 'cf-apps',
    instances: 3,
    rootfs: 'preloaded+layer:cflinuxfs4?layer=https://blobs.example.com/droplet.tgz&layer_path=/home/vcap',
    memoryMb: 1024,
    diskMb: 2048,
    maxPids: 1024,
    cpuWeight: 12,
    ports: [8080, 2222],
    logGuid: appGuid,
    logSource: 'CELL',
    startTimeoutMs: 60_000,
    annotation: JSON.stringify({ updatedAt: '2026-01-01T00:00:00Z' }),
    placementTags: ['isolated'],
    restartPolicy: { immediateRestarts: 3, maxRestarts: 200 },
    trustedSystemCertificatesPath: '/etc/cf-system-certificates',
    certificateProperties: { organizationalUnit: [`organization:${randomUUID()}`, `app:${appGuid}`] },
    network: { properties: { policy_group_id: appGuid, app_id: appGuid } },
    environmentVariables: environment(2, 'CONTAINER'),
    cachedDependencies: [
      {
        name: 'lifecycle',
        from: 'https://files.example.com/buildpack_app_lifecycle.tgz',
        to: '/tmp/lifecycle',
        cacheKey: 'buildpack-cflinuxfs4-lifecycle',
      },
    ],
    setup: {
      serial: {
        actions: [
          {
            download: {
              artifact: 'droplet',
              from: 'https://blobs.example.com/droplets/1?signature=0123456789abcdef',
              to: '.',
              cacheKey: `droplets-${appGuid}`,
              checksumAlgorithm: 'sha256',
              checksumValue: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
              user,
            },
          },
        ],
        logSource: 'SETUP',
      },
    },
    action: {
      codependent: {
        actions: [
          {
            run: {
              path: '/tmp/lifecycle/launcher',
              args: [
                'app',
                'bundle exec rackup config.ru -p $PORT',
                '{"start_command":"bundle exec rackup"}',
              ],
              env: environment(12, 'APP'),
              resourceLimits: { nofile: 16_384 },
              logSource: 'APP/PROC/WEB',
              user,
            },
          },
          {
            run: {
              path: '/tmp/lifecycle/diego-sshd',
              args: ['-address=0.0.0.0:2222', '-inheritDaemonEnv', '-logLevel=fatal'],
              env: environment(12, 'SSHD'),
              resourceLimits: { nofile: 16_384 },
              suppressLogOutput: true,
              user,
            },
          },
        ],
      },
    },
    monitor: {
      timeout: {
        timeoutMs: 600_000,
        action: {
          parallel: {
            actions: [
              {
                run: {
                  path: '/tmp/lifecycle/healthcheck',
                  args: ['-port=8080'],
                  suppressLogOutput: true,
                  resourceLimits: { nofile: 1024 },
                  logSource: 'HEALTH',
                  user,
                },
              },
            ],
          },
        },
      },
    },
    checkDefinition: {
      checks: [{ httpCheck: { port: 8080, path: '/health', requestTimeoutMs: 1000 } }],
      readinessChecks: [{ tcpCheck: { port: 8080, connectTimeoutMs: 1000 } }],
      logSource: 'HEALTH',
    },
    egressRules: [
      { protocol: 'all', destinations: ['0.0.0.0-9.255.255.255'] },
      { protocol: 'all', destinations: ['11.0.0.0-169.253.255.255'] },
      { protocol: 'tcp', destinations: ['172.16.0.0/12', '10.1.2.3'], ports: [443, 8443], log: true },
      { protocol: 'udp', destinations: ['10.0.0.2'], portRange: { start: 53, end: 53 } },
      { protocol: 'icmp', destinations: ['10.0.0.0/8'], icmpInfo: { type: -1, code: -1 } },
    ],
    routes: {
      'cf-router': [{ hostnames: ['my-app.example.com', 'www.example.com'], port: 8080, protocol: 'http1' }],
      'diego-ssh': { container_port: 2222, host_fingerprint: 'b2:3f:7a', user, private_key: 'x'.repeat(800) },
      'internal-router': [{ hostname: 'my-app.apps.internal' }],
    },
    metricTags: {
      source_id: { static: appGuid },
      app_name: { static: 'my-app' },
      space_name: { static: 'production' },
      instance_id: { dynamic: 'INDEX' },
      process_instance_id: { dynamic: 'INSTANCE_GUID' },
    },
    logRateLimit: { bytesPerSecond: 1_048_576 },
    sidecars: [{ action: aRunAction('/usr/bin/proxy', '--port', '61443'), memoryMb: 32 }],
    ...overrides,
  });
}
