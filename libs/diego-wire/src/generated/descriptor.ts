// Made from ../../proto by `npm run wire-messages`. Changes belong there.

export const descriptor: object = {
  nested: {
    models: {
      nested: {
        Action: {
          fields: {
            downloadAction: { type: 'DownloadAction', id: 1 },
            uploadAction: { type: 'UploadAction', id: 2 },
            runAction: { type: 'RunAction', id: 3 },
            timeoutAction: { type: 'TimeoutAction', id: 4 },
            emitProgressAction: { type: 'EmitProgressAction', id: 5 },
            tryAction: { type: 'TryAction', id: 6 },
            parallelAction: { type: 'ParallelAction', id: 7 },
            serialAction: { type: 'SerialAction', id: 8 },
            codependentAction: { type: 'CodependentAction', id: 9 },
          },
        },
        DownloadAction: {
          fields: {
            artifact: { type: 'string', id: 1 },
            from: { type: 'string', id: 2 },
            to: { type: 'string', id: 3 },
            cacheKey: { type: 'string', id: 4 },
            logSource: { type: 'string', id: 5 },
            user: { type: 'string', id: 6 },
            checksumAlgorithm: { type: 'string', id: 7 },
            checksumValue: { type: 'string', id: 8 },
          },
        },
        UploadAction: {
          fields: {
            artifact: { type: 'string', id: 1 },
            from: { type: 'string', id: 2 },
            to: { type: 'string', id: 3 },
            logSource: { type: 'string', id: 4 },
            user: { type: 'string', id: 5 },
          },
        },
        RunAction: {
          fields: {
            path: { type: 'string', id: 1 },
            args: { rule: 'repeated', type: 'string', id: 2 },
            dir: { type: 'string', id: 3 },
            env: { rule: 'repeated', type: 'EnvironmentVariable', id: 4 },
            resourceLimits: { type: 'ResourceLimits', id: 5 },
            user: { type: 'string', id: 6 },
            logSource: { type: 'string', id: 7 },
            suppressLogOutput: { type: 'bool', id: 8 },
            volumeMountedFiles: { rule: 'repeated', type: 'File', id: 9 },
          },
        },
        ResourceLimits: {
          oneofs: { _nofile: { oneof: ['nofile'] }, _nproc: { oneof: ['nproc'] } },
          fields: {
            nofile: { type: 'uint64', id: 1, options: { proto3_optional: true } },
            nproc: { type: 'uint64', id: 2, options: { proto3_optional: true } },
          },
        },
        TimeoutAction: {
          fields: {
            action: { type: 'Action', id: 1 },
            deprecatedTimeoutNs: { type: 'int64', id: 2, options: { deprecated: true } },
            logSource: { type: 'string', id: 3 },
            timeoutMs: { type: 'int64', id: 4 },
          },
        },
        EmitProgressAction: {
          fields: {
            action: { type: 'Action', id: 1 },
            startMessage: { type: 'string', id: 2 },
            successMessage: { type: 'string', id: 3 },
            failureMessagePrefix: { type: 'string', id: 4 },
            logSource: { type: 'string', id: 5 },
          },
        },
        TryAction: { fields: { action: { type: 'Action', id: 1 }, logSource: { type: 'string', id: 2 } } },
        ParallelAction: {
          fields: {
            actions: { rule: 'repeated', type: 'Action', id: 1 },
            logSource: { type: 'string', id: 2 },
          },
        },
        SerialAction: {
          fields: {
            actions: { rule: 'repeated', type: 'Action', id: 1 },
            logSource: { type: 'string', id: 2 },
          },
        },
        CodependentAction: {
          fields: {
            actions: { rule: 'repeated', type: 'Action', id: 1 },
            logSource: { type: 'string', id: 2 },
          },
        },
        Sidecar: {
          fields: {
            action: { type: 'Action', id: 1 },
            diskMb: { type: 'int32', id: 2 },
            memoryMb: { type: 'int32', id: 3 },
          },
        },
        ActualLRP: {
          oneofs: { _routable: { oneof: ['routable'] } },
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1, options: { '(always_present)': true } },
            actualLrpInstanceKey: {
              type: 'ActualLRPInstanceKey',
              id: 2,
              options: { '(always_present)': true },
            },
            actualLrpNetInfo: { type: 'ActualLRPNetInfo', id: 3, options: { '(always_present)': true } },
            crashCount: { type: 'int32', id: 4 },
            crashReason: { type: 'string', id: 5 },
            state: { type: 'string', id: 6 },
            placementError: { type: 'string', id: 7 },
            since: { type: 'int64', id: 8 },
            modificationTag: { type: 'ModificationTag', id: 9, options: { '(always_present)': true } },
            presence: { type: 'Presence', id: 10 },
            actualLrpInternalRoutes: { rule: 'repeated', type: 'ActualLRPInternalRoute', id: 11 },
            metricTags: { keyType: 'string', type: 'string', id: 12 },
            routable: { type: 'bool', id: 13, options: { proto3_optional: true } },
            availabilityZone: { type: 'string', id: 14 },
          },
          nested: { Presence: { values: { ORDINARY: 0, EVACUATING: 1, SUSPECT: 2 } } },
        },
        ActualLRPKey: {
          fields: {
            processGuid: { type: 'string', id: 1 },
            index: { type: 'int32', id: 2 },
            domain: { type: 'string', id: 3 },
          },
        },
        ActualLRPInstanceKey: {
          fields: { instanceGuid: { type: 'string', id: 1 }, cellId: { type: 'string', id: 2 } },
        },
        ActualLRPNetInfo: {
          fields: {
            address: { type: 'string', id: 1 },
            ports: { rule: 'repeated', type: 'PortMapping', id: 2 },
            instanceAddress: { type: 'string', id: 3 },
            preferredAddress: { type: 'PreferredAddress', id: 4 },
            instanceIpv6Address: { type: 'string', id: 5 },
          },
          nested: { PreferredAddress: { values: { UNKNOWN: 0, INSTANCE: 1, HOST: 2 } } },
        },
        PortMapping: {
          fields: {
            containerPort: { type: 'uint32', id: 1 },
            hostPort: { type: 'uint32', id: 2 },
            containerTlsProxyPort: { type: 'uint32', id: 3 },
            hostTlsProxyPort: { type: 'uint32', id: 4 },
          },
        },
        ActualLRPInternalRoute: { fields: { hostname: { type: 'string', id: 1 } } },
        ModificationTag: { fields: { epoch: { type: 'string', id: 1 }, index: { type: 'uint32', id: 2 } } },
        ActualLRPsRequest: {
          oneofs: { _index: { oneof: ['index'] } },
          fields: {
            domain: { type: 'string', id: 1 },
            cellId: { type: 'string', id: 2 },
            processGuid: { type: 'string', id: 3 },
            index: { type: 'int32', id: 4, options: { proto3_optional: true } },
          },
        },
        ActualLRPsResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            actualLrps: { rule: 'repeated', type: 'ActualLRP', id: 2 },
          },
        },
        ActualLRPsByProcessGuidsRequest: {
          fields: { processGuids: { rule: 'repeated', type: 'string', id: 1 } },
        },
        ActualLRPsByProcessGuidsResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            actualLrps: { rule: 'repeated', type: 'ActualLRP', id: 2 },
          },
        },
        ClaimActualLRPRequest: {
          fields: {
            processGuid: { type: 'string', id: 1 },
            index: { type: 'int32', id: 2 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 3 },
          },
        },
        StartActualLRPRequest: {
          oneofs: { _routable: { oneof: ['routable'] } },
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
            actualLrpNetInfo: { type: 'ActualLRPNetInfo', id: 3 },
            actualLrpInternalRoutes: { rule: 'repeated', type: 'ActualLRPInternalRoute', id: 4 },
            metricTags: { keyType: 'string', type: 'string', id: 5 },
            routable: { type: 'bool', id: 6, options: { proto3_optional: true } },
            availabilityZone: { type: 'string', id: 7 },
          },
        },
        CrashActualLRPRequest: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
            errorMessage: { type: 'string', id: 3 },
          },
        },
        FailActualLRPRequest: {
          fields: { actualLrpKey: { type: 'ActualLRPKey', id: 1 }, errorMessage: { type: 'string', id: 2 } },
        },
        RemoveActualLRPRequest: {
          fields: {
            processGuid: { type: 'string', id: 1 },
            index: { type: 'int32', id: 2 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 3 },
          },
        },
        RetireActualLRPRequest: { fields: { actualLrpKey: { type: 'ActualLRPKey', id: 1 } } },
        ActualLRPLifecycleResponse: { fields: { error: { type: 'Error', id: 1 } } },
        Error: {
          fields: { type: { type: 'Type', id: 1 }, message: { type: 'string', id: 2 } },
          nested: {
            Type: {
              values: {
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
              },
            },
          },
        },
        PingResponse: { fields: { available: { type: 'bool', id: 1 } } },
        DomainsResponse: {
          fields: { error: { type: 'Error', id: 1 }, domains: { rule: 'repeated', type: 'string', id: 2 } },
        },
        UpsertDomainRequest: {
          fields: { domain: { type: 'string', id: 1 }, ttl: { type: 'uint32', id: 2 } },
        },
        UpsertDomainResponse: { fields: { error: { type: 'Error', id: 1 } } },
        CellsResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            cells: { rule: 'repeated', type: 'CellPresence', id: 2 },
          },
        },
        CellPresence: {
          fields: {
            cellId: { type: 'string', id: 1 },
            repAddress: { type: 'string', id: 2 },
            zone: { type: 'string', id: 3 },
            capacity: { type: 'CellCapacity', id: 4 },
            rootfsProviders: { rule: 'repeated', type: 'Provider', id: 5 },
            placementTags: { rule: 'repeated', type: 'string', id: 6 },
            optionalPlacementTags: { rule: 'repeated', type: 'string', id: 7 },
            repUrl: { type: 'string', id: 8 },
            annotations: { keyType: 'string', type: 'string', id: 9 },
          },
        },
        CellCapacity: {
          fields: {
            memoryMb: { type: 'int32', id: 1 },
            diskMb: { type: 'int32', id: 2 },
            containers: { type: 'int32', id: 3 },
          },
        },
        Provider: {
          fields: {
            name: { type: 'string', id: 1 },
            properties: { rule: 'repeated', type: 'string', id: 2 },
          },
        },
        EnvironmentVariable: {
          fields: { name: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } },
        },
        File: { fields: { path: { type: 'string', id: 1 }, content: { type: 'string', id: 2 } } },
        CachedDependency: {
          fields: {
            name: { type: 'string', id: 1 },
            from: { type: 'string', id: 2 },
            to: { type: 'string', id: 3 },
            cacheKey: { type: 'string', id: 4 },
            logSource: { type: 'string', id: 5 },
            checksumAlgorithm: { type: 'string', id: 6 },
            checksumValue: { type: 'string', id: 7 },
          },
        },
        SecurityGroupRule: {
          fields: {
            protocol: { type: 'string', id: 1 },
            destinations: { rule: 'repeated', type: 'string', id: 2 },
            ports: { rule: 'repeated', type: 'uint32', id: 3, options: { packed: false } },
            portRange: { type: 'PortRange', id: 4 },
            icmpInfo: { type: 'ICMPInfo', id: 5 },
            log: { type: 'bool', id: 6 },
            annotations: { rule: 'repeated', type: 'string', id: 7 },
          },
        },
        PortRange: { fields: { start: { type: 'uint32', id: 1 }, end: { type: 'uint32', id: 2 } } },
        ICMPInfo: { fields: { type: { type: 'int32', id: 1 }, code: { type: 'int32', id: 2 } } },
        VolumeMount: {
          fields: {
            driver: { type: 'string', id: 1 },
            containerDir: { type: 'string', id: 3 },
            mode: { type: 'string', id: 6 },
            shared: { type: 'SharedDevice', id: 7 },
            dedicated: { type: 'DedicatedDevice', id: 8 },
          },
          reserved: [
            [2, 2],
            [4, 4],
            [5, 5],
          ],
        },
        SharedDevice: {
          fields: { volumeId: { type: 'string', id: 1 }, mountConfig: { type: 'string', id: 2 } },
        },
        DedicatedDevice: {
          fields: {
            mounterId: { type: 'string', id: 1 },
            mountConfig: { type: 'string', id: 2 },
            deviceConfig: { type: 'string', id: 3 },
          },
        },
        ImageLayer: {
          fields: {
            name: { type: 'string', id: 1 },
            url: { type: 'string', id: 2 },
            destinationPath: { type: 'string', id: 3 },
            layerType: { type: 'Type', id: 4 },
            mediaType: { type: 'MediaType', id: 5 },
            digestAlgorithm: { type: 'DigestAlgorithm', id: 6 },
            digestValue: { type: 'string', id: 7 },
          },
          nested: {
            Type: { values: { LayerTypeInvalid: 0, SHARED: 1, EXCLUSIVE: 2 } },
            MediaType: { values: { MediaTypeInvalid: 0, TGZ: 1, TAR: 2, ZIP: 3 } },
            DigestAlgorithm: { values: { DigestAlgorithmInvalid: 0, SHA256: 1, SHA512: 2 } },
          },
        },
        CertificateProperties: {
          fields: { organizationalUnit: { rule: 'repeated', type: 'string', id: 1 } },
        },
        Network: { fields: { properties: { keyType: 'string', type: 'string', id: 1 } } },
        MetricTagValue: {
          fields: { static: { type: 'string', id: 1 }, dynamic: { type: 'DynamicValue', id: 2 } },
          nested: { DynamicValue: { values: { DynamicValueInvalid: 0, INDEX: 1, INSTANCE_GUID: 2 } } },
        },
        LogRateLimit: { fields: { bytesPerSecond: { type: 'int64', id: 1 } } },
        CheckDefinition: {
          fields: {
            checks: { rule: 'repeated', type: 'Check', id: 1 },
            logSource: { type: 'string', id: 2 },
            readinessChecks: { rule: 'repeated', type: 'Check', id: 3 },
          },
        },
        Check: { fields: { tcpCheck: { type: 'TCPCheck', id: 1 }, httpCheck: { type: 'HTTPCheck', id: 2 } } },
        TCPCheck: {
          fields: {
            port: { type: 'uint32', id: 1 },
            connectTimeoutMs: { type: 'uint64', id: 2 },
            intervalMs: { type: 'uint64', id: 3 },
          },
        },
        HTTPCheck: {
          fields: {
            port: { type: 'uint32', id: 1 },
            requestTimeoutMs: { type: 'uint64', id: 2 },
            path: { type: 'string', id: 3 },
            intervalMs: { type: 'uint64', id: 4 },
          },
        },
        ActualLRPGroup: {
          fields: { instance: { type: 'ActualLRP', id: 1 }, evacuating: { type: 'ActualLRP', id: 2 } },
        },
        ActualLRPGroupsRequest: {
          fields: { domain: { type: 'string', id: 1 }, cellId: { type: 'string', id: 2 } },
        },
        ActualLRPGroupsByProcessGuidRequest: { fields: { processGuid: { type: 'string', id: 1 } } },
        ActualLRPGroupByProcessGuidAndIndexRequest: {
          fields: { processGuid: { type: 'string', id: 1 }, index: { type: 'int32', id: 2 } },
        },
        ActualLRPGroupsResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            actualLrpGroups: { rule: 'repeated', type: 'ActualLRPGroup', id: 2 },
          },
        },
        ActualLRPGroupResponse: {
          fields: { error: { type: 'Error', id: 1 }, actualLrpGroup: { type: 'ActualLRPGroup', id: 2 } },
        },
        ActualLRPCreatedEvent: { fields: { actualLrpGroup: { type: 'ActualLRPGroup', id: 1 } } },
        ActualLRPChangedEvent: {
          fields: { before: { type: 'ActualLRPGroup', id: 1 }, after: { type: 'ActualLRPGroup', id: 2 } },
        },
        ActualLRPRemovedEvent: { fields: { actualLrpGroup: { type: 'ActualLRPGroup', id: 1 } } },
        DesiredLRP: {
          fields: {
            processGuid: { type: 'string', id: 1 },
            domain: { type: 'string', id: 2 },
            rootFs: { type: 'string', id: 3 },
            instances: { type: 'int32', id: 4 },
            environmentVariables: { rule: 'repeated', type: 'EnvironmentVariable', id: 5 },
            setup: { type: 'Action', id: 6 },
            action: { type: 'Action', id: 7 },
            deprecatedStartTimeoutS: { type: 'uint32', id: 8, options: { deprecated: true } },
            monitor: { type: 'Action', id: 9 },
            diskMb: { type: 'int32', id: 10 },
            memoryMb: { type: 'int32', id: 11 },
            cpuWeight: { type: 'uint32', id: 12 },
            privileged: { type: 'bool', id: 13 },
            ports: { rule: 'repeated', type: 'uint32', id: 14, options: { packed: false } },
            routes: { type: 'ProtoRoutes', id: 15 },
            logSource: { type: 'string', id: 16 },
            logGuid: { type: 'string', id: 17 },
            metricsGuid: { type: 'string', id: 18 },
            annotation: { type: 'string', id: 19 },
            egressRules: { rule: 'repeated', type: 'SecurityGroupRule', id: 20 },
            modificationTag: { type: 'ModificationTag', id: 21 },
            cachedDependencies: { rule: 'repeated', type: 'CachedDependency', id: 22 },
            legacyDownloadUser: { type: 'string', id: 23 },
            trustedSystemCertificatesPath: { type: 'string', id: 24 },
            volumeMounts: { rule: 'repeated', type: 'VolumeMount', id: 25 },
            network: { type: 'Network', id: 26 },
            startTimeoutMs: { type: 'int64', id: 27 },
            placementTags: { rule: 'repeated', type: 'string', id: 28 },
            maxPids: { type: 'int32', id: 29 },
            certificateProperties: { type: 'CertificateProperties', id: 30 },
            imageUsername: { type: 'string', id: 31 },
            imagePassword: { type: 'string', id: 32 },
            checkDefinition: { type: 'CheckDefinition', id: 33 },
            imageLayers: { rule: 'repeated', type: 'ImageLayer', id: 34 },
            metricTags: { keyType: 'string', type: 'MetricTagValue', id: 35 },
            sidecars: { rule: 'repeated', type: 'Sidecar', id: 36 },
            logRateLimit: { type: 'LogRateLimit', id: 37 },
            volumeMountedFiles: { rule: 'repeated', type: 'File', id: 38 },
            updateStrategy: { type: 'UpdateStrategy', id: 39 },
          },
          nested: { UpdateStrategy: { values: { ROLLING: 0, RECREATE: 1 } } },
        },
        ProtoRoutes: { fields: { routes: { keyType: 'string', type: 'bytes', id: 1 } } },
        DesiredLRPSchedulingInfo: {
          fields: {
            desiredLrpKey: { type: 'DesiredLRPKey', id: 1, options: { '(always_present)': true } },
            annotation: { type: 'string', id: 2 },
            instances: { type: 'int32', id: 3 },
            desiredLrpResource: { type: 'DesiredLRPResource', id: 4, options: { '(always_present)': true } },
            routes: { type: 'ProtoRoutes', id: 5, options: { '(always_present)': true } },
            modificationTag: { type: 'ModificationTag', id: 6, options: { '(always_present)': true } },
            volumePlacement: { type: 'VolumePlacement', id: 7 },
            placementTags: { rule: 'repeated', type: 'string', id: 8 },
          },
        },
        DesiredLRPKey: {
          fields: {
            processGuid: { type: 'string', id: 1 },
            domain: { type: 'string', id: 2 },
            logGuid: { type: 'string', id: 3 },
          },
        },
        DesiredLRPResource: {
          fields: {
            memoryMb: { type: 'int32', id: 1 },
            diskMb: { type: 'int32', id: 2 },
            rootFs: { type: 'string', id: 3 },
            maxPids: { type: 'int32', id: 4 },
          },
        },
        VolumePlacement: { fields: { driverNames: { rule: 'repeated', type: 'string', id: 1 } } },
        DesiredLRPUpdate: {
          oneofs: {
            _instances: { oneof: ['instances'] },
            _annotation: { oneof: ['annotation'] },
            _imageUsername: { oneof: ['imageUsername'] },
            _imagePassword: { oneof: ['imagePassword'] },
          },
          fields: {
            instances: { type: 'int32', id: 1, options: { proto3_optional: true } },
            routes: { type: 'ProtoRoutes', id: 2 },
            annotation: { type: 'string', id: 3, options: { proto3_optional: true } },
            metricTags: { keyType: 'string', type: 'MetricTagValue', id: 4 },
            imageUsername: { type: 'string', id: 5, options: { proto3_optional: true } },
            imagePassword: { type: 'string', id: 6, options: { proto3_optional: true } },
          },
        },
        DesiredLRPsRequest: {
          fields: {
            domain: { type: 'string', id: 1 },
            processGuids: { rule: 'repeated', type: 'string', id: 2 },
            appGuids: { rule: 'repeated', type: 'string', id: 3 },
          },
        },
        DesiredLRPsResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            desiredLrps: { rule: 'repeated', type: 'DesiredLRP', id: 2 },
          },
        },
        DesiredLRPByProcessGuidRequest: { fields: { processGuid: { type: 'string', id: 1 } } },
        DesiredLRPResponse: {
          fields: { error: { type: 'Error', id: 1 }, desiredLrp: { type: 'DesiredLRP', id: 2 } },
        },
        DesiredLRPSchedulingInfosResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            desiredLrpSchedulingInfos: { rule: 'repeated', type: 'DesiredLRPSchedulingInfo', id: 2 },
          },
        },
        DesiredLRPSchedulingInfoByProcessGuidResponse: {
          fields: {
            error: { type: 'Error', id: 1 },
            desiredLrpSchedulingInfo: { type: 'DesiredLRPSchedulingInfo', id: 2 },
          },
        },
        DesireLRPRequest: { fields: { desiredLrp: { type: 'DesiredLRP', id: 1 } } },
        UpdateDesiredLRPRequest: {
          fields: { processGuid: { type: 'string', id: 1 }, update: { type: 'DesiredLRPUpdate', id: 2 } },
        },
        RemoveDesiredLRPRequest: { fields: { processGuid: { type: 'string', id: 1 } } },
        DesiredLRPLifecycleResponse: { fields: { error: { type: 'Error', id: 1 } } },
        RemoveEvacuatingActualLRPRequest: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
          },
        },
        RemoveEvacuatingActualLRPResponse: { fields: { error: { type: 'Error', id: 1 } } },
        EvacuateClaimedActualLRPRequest: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
          },
        },
        EvacuateCrashedActualLRPRequest: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
            errorMessage: { type: 'string', id: 3 },
          },
        },
        EvacuateStoppedActualLRPRequest: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
          },
        },
        EvacuateRunningActualLRPRequest: {
          oneofs: { _routable: { oneof: ['routable'] } },
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1 },
            actualLrpInstanceKey: { type: 'ActualLRPInstanceKey', id: 2 },
            actualLrpNetInfo: { type: 'ActualLRPNetInfo', id: 3 },
            actualLrpInternalRoutes: { rule: 'repeated', type: 'ActualLRPInternalRoute', id: 5 },
            metricTags: { keyType: 'string', type: 'string', id: 6 },
            routable: { type: 'bool', id: 7, options: { proto3_optional: true } },
            availabilityZone: { type: 'string', id: 8 },
          },
          reserved: [[4, 4]],
        },
        EvacuationResponse: {
          fields: { error: { type: 'Error', id: 1 }, keepContainer: { type: 'bool', id: 2 } },
        },
        ActualLRPInstanceCreatedEvent: {
          fields: { actualLrp: { type: 'ActualLRP', id: 1 }, traceId: { type: 'string', id: 2 } },
        },
        ActualLRPInstanceChangedEvent: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1, options: { '(always_present)': true } },
            actualLrpInstanceKey: {
              type: 'ActualLRPInstanceKey',
              id: 2,
              options: { '(always_present)': true },
            },
            before: { type: 'ActualLRPInfo', id: 3 },
            after: { type: 'ActualLRPInfo', id: 4 },
            traceId: { type: 'string', id: 5 },
          },
        },
        ActualLRPInfo: {
          oneofs: { _routable: { oneof: ['routable'] } },
          fields: {
            actualLrpNetInfo: { type: 'ActualLRPNetInfo', id: 3, options: { '(always_present)': true } },
            crashCount: { type: 'int32', id: 4 },
            crashReason: { type: 'string', id: 5 },
            state: { type: 'string', id: 6 },
            placementError: { type: 'string', id: 7 },
            since: { type: 'int64', id: 8 },
            modificationTag: { type: 'ModificationTag', id: 9, options: { '(always_present)': true } },
            presence: { type: 'ActualLRP.Presence', id: 10 },
            routable: { type: 'bool', id: 11, options: { proto3_optional: true } },
            availabilityZone: { type: 'string', id: 12 },
          },
        },
        ActualLRPInstanceRemovedEvent: {
          fields: { actualLrp: { type: 'ActualLRP', id: 1 }, traceId: { type: 'string', id: 2 } },
        },
        ActualLRPCrashedEvent: {
          fields: {
            actualLrpKey: { type: 'ActualLRPKey', id: 1, options: { '(always_present)': true } },
            actualLrpInstanceKey: {
              type: 'ActualLRPInstanceKey',
              id: 2,
              options: { '(always_present)': true },
            },
            crashCount: { type: 'int32', id: 3 },
            crashReason: { type: 'string', id: 4 },
            since: { type: 'int64', id: 5 },
          },
        },
        DesiredLRPCreatedEvent: {
          fields: { desiredLrp: { type: 'DesiredLRP', id: 1 }, traceId: { type: 'string', id: 2 } },
        },
        DesiredLRPChangedEvent: {
          fields: {
            before: { type: 'DesiredLRP', id: 1 },
            after: { type: 'DesiredLRP', id: 2 },
            traceId: { type: 'string', id: 3 },
          },
        },
        DesiredLRPRemovedEvent: {
          fields: { desiredLrp: { type: 'DesiredLRP', id: 1 }, traceId: { type: 'string', id: 2 } },
        },
        TaskCreatedEvent: { fields: { task: { type: 'Task', id: 1 } } },
        TaskChangedEvent: { fields: { before: { type: 'Task', id: 1 }, after: { type: 'Task', id: 2 } } },
        TaskRemovedEvent: { fields: { task: { type: 'Task', id: 1 } } },
        EventsByCellId: { fields: { cellId: { type: 'string', id: 1 } } },
        Locket: {
          methods: {
            Lock: { requestType: 'LockRequest', responseType: 'LockResponse' },
            Fetch: { requestType: 'FetchRequest', responseType: 'FetchResponse' },
            Release: { requestType: 'ReleaseRequest', responseType: 'ReleaseResponse' },
            FetchAll: { requestType: 'FetchAllRequest', responseType: 'FetchAllResponse' },
          },
        },
        TypeCode: { values: { UNKNOWN: 0, LOCK: 1, PRESENCE: 2 } },
        Resource: {
          fields: {
            key: { type: 'string', id: 1 },
            owner: { type: 'string', id: 2 },
            value: { type: 'string', id: 3 },
            type: { type: 'string', id: 4, options: { deprecated: true } },
            typeCode: { type: 'TypeCode', id: 5 },
          },
        },
        LockRequest: {
          fields: { resource: { type: 'Resource', id: 1 }, ttlInSeconds: { type: 'int64', id: 2 } },
        },
        LockResponse: { fields: {} },
        ReleaseRequest: { fields: { resource: { type: 'Resource', id: 1 } } },
        ReleaseResponse: { fields: {} },
        FetchRequest: { fields: { key: { type: 'string', id: 1 } } },
        FetchResponse: { fields: { resource: { type: 'Resource', id: 1 } } },
        FetchAllRequest: {
          fields: {
            type: { type: 'string', id: 1, options: { deprecated: true } },
            typeCode: { type: 'TypeCode', id: 2 },
          },
        },
        FetchAllResponse: { fields: { resources: { rule: 'repeated', type: 'Resource', id: 1 } } },
        Task: {
          fields: {
            taskDefinition: { type: 'TaskDefinition', id: 1 },
            taskGuid: { type: 'string', id: 2 },
            domain: { type: 'string', id: 3 },
            createdAt: { type: 'int64', id: 4 },
            updatedAt: { type: 'int64', id: 5 },
            firstCompletedAt: { type: 'int64', id: 6 },
            state: { type: 'State', id: 7 },
            cellId: { type: 'string', id: 8 },
            result: { type: 'string', id: 9 },
            failed: { type: 'bool', id: 10 },
            failureReason: { type: 'string', id: 11 },
            rejectionCount: { type: 'int32', id: 12 },
            rejectionReason: { type: 'string', id: 13 },
          },
          nested: { State: { values: { Invalid: 0, Pending: 1, Running: 2, Completed: 3, Resolving: 4 } } },
        },
        TaskDefinition: {
          fields: {
            rootFs: { type: 'string', id: 1 },
            environmentVariables: { rule: 'repeated', type: 'EnvironmentVariable', id: 2 },
            action: { type: 'Action', id: 3 },
            diskMb: { type: 'int32', id: 4 },
            memoryMb: { type: 'int32', id: 5 },
            cpuWeight: { type: 'uint32', id: 6 },
            privileged: { type: 'bool', id: 7 },
            logSource: { type: 'string', id: 8 },
            logGuid: { type: 'string', id: 9 },
            metricsGuid: { type: 'string', id: 10 },
            resultFile: { type: 'string', id: 11 },
            completionCallbackUrl: { type: 'string', id: 12 },
            annotation: { type: 'string', id: 13 },
            egressRules: { rule: 'repeated', type: 'SecurityGroupRule', id: 14 },
            cachedDependencies: { rule: 'repeated', type: 'CachedDependency', id: 15 },
            legacyDownloadUser: { type: 'string', id: 16 },
            trustedSystemCertificatesPath: { type: 'string', id: 17 },
            volumeMounts: { rule: 'repeated', type: 'VolumeMount', id: 18 },
            network: { type: 'Network', id: 19 },
            placementTags: { rule: 'repeated', type: 'string', id: 20 },
            maxPids: { type: 'int32', id: 21 },
            certificateProperties: { type: 'CertificateProperties', id: 22 },
            imageUsername: { type: 'string', id: 23 },
            imagePassword: { type: 'string', id: 24 },
            imageLayers: { rule: 'repeated', type: 'ImageLayer', id: 25 },
            logRateLimit: { type: 'LogRateLimit', id: 26 },
            metricTags: { keyType: 'string', type: 'MetricTagValue', id: 27 },
            volumeMountedFiles: { rule: 'repeated', type: 'File', id: 28 },
          },
        },
        DesireTaskRequest: {
          fields: {
            taskDefinition: { type: 'TaskDefinition', id: 1 },
            taskGuid: { type: 'string', id: 2 },
            domain: { type: 'string', id: 3 },
          },
        },
        StartTaskRequest: {
          fields: { taskGuid: { type: 'string', id: 1 }, cellId: { type: 'string', id: 2 } },
        },
        StartTaskResponse: {
          fields: { error: { type: 'Error', id: 1 }, shouldStart: { type: 'bool', id: 2 } },
        },
        RejectTaskRequest: {
          fields: { taskGuid: { type: 'string', id: 1 }, rejectionReason: { type: 'string', id: 2 } },
        },
        CompleteTaskRequest: {
          fields: {
            taskGuid: { type: 'string', id: 1 },
            cellId: { type: 'string', id: 2 },
            failed: { type: 'bool', id: 3 },
            failureReason: { type: 'string', id: 4 },
            result: { type: 'string', id: 5 },
          },
        },
        TaskGuidRequest: { fields: { taskGuid: { type: 'string', id: 1 } } },
        FailTaskRequest: {
          fields: { taskGuid: { type: 'string', id: 1 }, failureReason: { type: 'string', id: 2 } },
        },
        TaskLifecycleResponse: { fields: { error: { type: 'Error', id: 1 } } },
        TasksRequest: { fields: { domain: { type: 'string', id: 1 }, cellId: { type: 'string', id: 2 } } },
        TasksResponse: {
          fields: { error: { type: 'Error', id: 1 }, tasks: { rule: 'repeated', type: 'Task', id: 2 } },
        },
        TaskByGuidRequest: { fields: { taskGuid: { type: 'string', id: 1 } } },
        TaskResponse: { fields: { error: { type: 'Error', id: 1 }, task: { type: 'Task', id: 2 } } },
      },
    },
  },
};
