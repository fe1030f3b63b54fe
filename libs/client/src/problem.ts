import { ERROR_CODES, RiveraError } from '#rivera/models';
import type { ErrorCode, ErrorDetails, FieldError } from '#rivera/models';

/** For answers that do not come from bbs itself: a proxy, a load balancer, the wrong server. */
const CODE_OF_STATUS: Record<number, ErrorCode> = {
  400: 'invalid-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  413: 'payload-too-large',
  415: 'unsupported',
  422: 'invalid-request',
  429: 'too-many-requests',
  501: 'unsupported',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/**
 * The error that an answer with an error status stands for (RFC 9457, problem details). Code, sentence and fields are
 * the server's; other members of the problem document, such as `status` and `traceId`, become details.
 */
export function problemToError(status: number, body: string, url: string): RiveraError {
  const problem = parseObject(body);
  const { type: _type, title, code, detail, fields, ...others } = problem;
  const details: ErrorDetails = { ...others, status };
  if (Array.isArray(fields)) details.fields = fields.filter(isFieldError);
  const sentence = [detail, title].find((text): text is string => typeof text === 'string' && text !== '');
  return new RiveraError(
    isErrorCode(code) ? code : (CODE_OF_STATUS[status] ?? (status < 500 ? 'invalid-request' : 'internal')),
    sentence ?? `${url} answered with status ${status} and no explanation. Check that this is Rivera's API.`,
    details,
  );
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) ? parsed : {};
  } catch {
    // Proxies answer in HTML or plain text; the status then says all there is.
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isErrorCode(value: unknown): value is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(value);
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && typeof value['field'] === 'string' && typeof value['message'] === 'string';
}
