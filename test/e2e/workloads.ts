import { randomUUID } from 'node:crypto';
import type {
  Action,
  ActualLRP,
  DesiredLRPRequest,
  EnvironmentVariable,
  TaskDefinition,
  TaskRequest,
} from '#rivera/models';
import { aDesiredLRP, aTaskDefinition, type Plain } from '../support/builders.js';

/** Runs a line of shell as vcap. */
export function sh(script: string, env: EnvironmentVariable[] = []): Plain<Action> {
  return { run: { path: '/bin/sh', args: ['-c', script], user: 'vcap', env } };
}

/** A web server on port 8080 whose page names the instance. */
export function aWebLRP(overrides: Partial<DesiredLRPRequest> = {}): Plain<DesiredLRPRequest> {
  return aDesiredLRP({
    processGuid: `web-${randomUUID()}`,
    rootfs: 'preloaded:base',
    memoryMb: 32,
    ports: [8080],
    action: { run: { path: '/bin/web', user: 'vcap' } },
    ...overrides,
  });
}

/** An LRP of the base stack that runs a line of shell; by default it does nothing for an hour. */
export function aShellLRP(
  script = 'sleep 3600',
  overrides: Partial<DesiredLRPRequest> = {},
): Plain<DesiredLRPRequest> {
  return aDesiredLRP({ rootfs: 'preloaded:base', memoryMb: 32, action: sh(script), ...overrides });
}

export function aTaskRequest(definition: Partial<TaskDefinition>): Plain<TaskRequest> {
  return {
    taskGuid: `task-${randomUUID()}`,
    domain: 'some-domain',
    definition: aTaskDefinition({ rootfs: 'preloaded:base', memoryMb: 32, ...definition }),
  };
}

/** The page an instance serves on its first port, asked for where its cell says that it is. */
export async function pageOf({ netInfo }: ActualLRP): Promise<string> {
  const response = await fetch(`http://${netInfo?.address}:${netInfo?.ports[0]?.hostPort}/`);
  if (response.status !== 200) throw new Error(`The instance answered ${response.status}.`);
  return response.text();
}

export function hasDocker(): boolean {
  return process.env.RIVERA_TEST_DOCKER_HOST !== undefined;
}
