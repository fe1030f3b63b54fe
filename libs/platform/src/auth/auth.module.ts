import { RiveraError } from '#rivera/models';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';

import { Clock } from '../clock.js';
import type { AuthConfig } from '../config/auth.config.js';
import { Readiness } from '../health/readiness.js';
import { RiveraLogger } from '../logging/rivera-logger.js';
import { JwtAuthGuard } from './jwt-auth.guard.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeyRing } from './key-ring.js';
import { RemoteKeys } from './remote-keys.js';
import { ScopesGuard } from './scopes.guard.js';

/** Puts a token and scopes in front of every HTTP route of the app, which imports `PlatformModule`. */
@Module({})
export class AuthModule {
  static forRoot(config: AuthConfig): DynamicModule {
    return {
      module: AuthModule,
      providers: [
        { provide: KeyRing, inject: [RiveraLogger, Clock, Readiness], useFactory: keyRingOf(config) },
        {
          provide: JwtStrategy,
          inject: [KeyRing, Clock],
          useFactory: (keys: KeyRing, clock: Clock) => new JwtStrategy({ ...config, keys, clock }),
        },
        // Nest runs global guards in this order: who is it, then what may they do.
        { provide: APP_GUARD, useClass: JwtAuthGuard },
        { provide: APP_GUARD, useClass: ScopesGuard },
      ],
    };
  }
}

function keyRingOf({ keys, jwksUrl: url }: AuthConfig) {
  return (logger: RiveraLogger, clock: Clock, readiness: Readiness): KeyRing => {
    if (url === undefined) return new KeyRing(keys);
    const remote = new RemoteKeys({ url, clock, logger });
    readiness.register('token-keys', () => {
      if (!remote.isKnown)
        throw new RiveraError('unavailable', `The key set at ${url} could not be fetched yet.`);
      return true;
    });
    return new KeyRing(keys, remote);
  };
}
