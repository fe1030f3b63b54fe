import { readFileSync } from 'node:fs';
import { RiveraError } from '#rivera/models';

/** Keys of the original's configuration that mean something here, and the variable that says the same. */
const VARIABLE_OF: Readonly<Record<string, string>> = {
  listen_address: 'DIEGO_WIRE_LISTEN',
  health_address: 'DIEGO_HEALTH_LISTEN',
  advertise_url: 'DIEGO_WIRE_URL',
  cert_file: 'DIEGO_CERT_FILE',
  key_file: 'DIEGO_KEY_FILE',
  ca_file: 'DIEGO_CA_FILE',
};

const FIXED = 'it is fixed here, at the default of Diego';
const NO_LOCK = 'bbs needs no lock here: any number of them serve at the same time';
const NO_SQL = 'records are in Redis; see STORE_REDIS_URL';
const NO_REP = 'cells ask bbs here, bbs calls no rep';
const NO_AUCTIONEER = 'the auctioneer is reached over the message bus; see BUS_REDIS_URL';
const NOT_ENCRYPTED = 'records are not encrypted at rest here';
const NO_CONSUL = 'there is no Consul here';
const NO_LOGGREGATOR = 'metrics are at /metrics';
const AS_MANY_AS_THERE_ARE = 'there are no pools of workers here';

/** Keys that are known, and why they have no effect. */
const REASON_OF: Readonly<Record<string, string>> = {
  access_log_path: 'calls that change something are in the log',
  active_key_label: NOT_ENCRYPTED,
  auctioneer_address: NO_AUCTIONEER,
  auctioneer_ca_cert: NO_AUCTIONEER,
  auctioneer_client_cert: NO_AUCTIONEER,
  auctioneer_client_key: NO_AUCTIONEER,
  auctioneer_require_tls: NO_AUCTIONEER,
  cell_registrations_locket_enabled: 'cells register with bbs',
  communication_timeout: FIXED,
  converge_repeat_interval: 'the converger sees to what is due when it is due; its audit has AUDIT_PERIOD_MS',
  convergence_workers: AS_MANY_AS_THERE_ARE,
  database_connection_string: NO_SQL,
  database_driver: NO_SQL,
  debug_address: 'there is no debug server',
  desired_lrp_creation_timeout: 'it has no effect in Diego either',
  detect_consul_cell_registrations: NO_CONSUL,
  dropsonde_port: NO_LOGGREGATOR,
  enable_consul_service_registration: NO_CONSUL,
  encryption_keys: NOT_ENCRYPTED,
  expire_completed_task_duration: FIXED,
  expire_pending_task_duration: FIXED,
  kick_task_duration: 'a task that waits is placed when there is room',
  lock_retry_interval: NO_LOCK,
  lock_ttl: `${NO_LOCK}; auctioneer and converger have LEASE_TTL_MS`,
  locket_address: NO_LOCK,
  locket_ca_cert_file: NO_LOCK,
  locket_client_cert_file: NO_LOCK,
  locket_client_key_file: NO_LOCK,
  locks_locket_enabled: NO_LOCK,
  log_level: 'set LOG_LEVEL',
  loggregator: NO_LOGGREGATOR,
  max_data_string_length: FIXED,
  max_idle_database_connections: NO_SQL,
  max_open_database_connections: NO_SQL,
  max_task_retries: FIXED,
  rep_ca_cert: NO_REP,
  rep_client_cert: NO_REP,
  rep_client_key: NO_REP,
  rep_client_session_cache_size: NO_REP,
  rep_require_tls: NO_REP,
  report_interval: NO_LOGGREGATOR,
  require_ssl: 'the wire API always asks for certificates, unless it listens on this machine only',
  session_name: 'log lines name their program',
  skip_consul_lock: NO_CONSUL,
  sql_ca_cert_file: NO_SQL,
  sql_enable_identity_verification: NO_SQL,
  task_callback_workers: AS_MANY_AS_THERE_ARE,
  time_format: 'times in the log are RFC 3339',
  update_workers: AS_MANY_AS_THERE_ARE,
  uuid: NO_LOCK,
};

export interface DiegoConfigFile {
  /** As variables of the environment. */
  env: Record<string, string>;
  /** Key → why it has no effect. */
  ignored: Record<string, string>;
}

/**
 * Reads the configuration of Diego's BBS, a JSON file.
 *
 * @throws RiveraError `invalid-request` when there is no such file, or it is no JSON object
 */
export function readDiegoConfigFile(path: string): DiegoConfigFile {
  const env: Record<string, string> = {};
  const ignored: Record<string, string> = {};
  for (const [key, value] of Object.entries(readJson(path))) {
    const variable = VARIABLE_OF[key];
    if (variable === undefined) ignored[key] = REASON_OF[key] ?? 'it is not known';
    else if (typeof value === 'string') env[variable] = value;
    else throw unusable(path, `${key} must be a text`);
  }
  return { env, ignored };
}

function readJson(path: string): object {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : String(error));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw unusable(path, 'it must be a JSON object');
}

function unusable(path: string, reason: string): RiveraError {
  return new RiveraError('invalid-request', `The Diego configuration ${path} cannot be used: ${reason}.`);
}
