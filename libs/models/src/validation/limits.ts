/** The largest value of a 32-bit signed integer: the widest integer of Diego's records, and the longest timer (ms). */
export const MAX_INT32 = 2_147_483_647;

/**
 * The limits of what clients may ask for. Sizes in bytes count UTF-8. Those of Diego (BBS, validation and column widths)
 * are marked; the others bound what one request can cost.
 */
export const LIMITS = {
  /** Guids, domains, cell ids, tags and other names (Diego). */
  nameBytes: 255,
  /** Diego. */
  rootfsBytes: 1024,
  /** Diego. */
  annotationBytes: 10_240,
  /** All routes of a desired LRP as JSON (Diego). */
  routesBytes: 131_072,
  /** Content of all volume mounted files of one definition or run action together (Diego). */
  volumeMountedFilesBytes: 1_048_576,
  urlBytes: 8192,
  pathBytes: 4096,
  /** One argument, or one `NAME=value`, without the closing NUL (Linux, MAX_ARG_STRLEN). */
  argumentBytes: 131_071,
  /** Opaque settings and texts without a limit of their own. */
  textBytes: 65_536,

  instances: 10_000,
  cpuWeight: 100,

  args: 1024,
  environmentVariables: 1024,
  ports: 32,
  /** Ports of an instance as its cell reports them; more than asked for, as a sidecar may add its own. */
  portMappings: 128,
  placementTags: 32,
  cellLabels: 64,
  devices: 16,
  affinityRules: 16,
  spreadRules: 4,
  /** Of priorities, either side of 0. */
  priority: 1000,
  metricTags: 64,
  networkProperties: 64,
  egressRules: 1024,
  /** Destinations, ports and annotations of one egress rule. */
  egressRuleEntries: 1024,
  cachedDependencies: 64,
  imageLayers: 64,
  sidecars: 32,
  volumeMounts: 64,
  volumeMountedFiles: 1024,
  organizationalUnits: 32,
  checks: 32,
  /** Members of one parallel, serial or codependent action. */
  actions: 256,
  /** Levels of actions within actions. */
  actionDepth: 32,
  rootfsProviders: 64,
  stacks: 64,
  volumeDrivers: 64,
  /** Reports in one request of a cell. */
  reports: 500,

  /** Levels of objects and lists in any request: 32 actions within lists need 96. */
  jsonDepth: 128,
  /** Values (objects, lists and scalars) in what is read as one thing: most requests, each operation of a bulk request. */
  jsonValues: 20_000,
  /** Values in a bulk request: 1,000 operations of a realistic size, twice over. */
  jsonBulkValues: 400_000,
  /** Entries of any one list, routes included. */
  jsonListEntries: 4096,
  /** Fields of any one object: what reads them takes quadratic time. */
  jsonFields: 1000,
} as const;
