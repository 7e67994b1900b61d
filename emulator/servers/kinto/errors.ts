// Kinto's errors, in its own words and numbers.
// Source: Kinto HTTP API 1.x (errors).

import { type HeaderValues, HttpError } from '../http.ts';

const ERRORS = {
  missingToken: [401, 104, 'Unauthorized', 'Please authenticate yourself to use this endpoint.'],
  badBody: [400, 107, 'Invalid parameters', 'Invalid parameters'],
  notJson: [400, 106, 'Invalid parameters', 'Invalid JSON'],
  unknown: [404, 110, 'Not Found', 'The resource you are looking for could not be found.'],
  missing: [404, 111, 'Not Found', 'The resource you are looking for could not be found.'],
  forbidden: [403, 121, 'Forbidden', 'This user cannot access this resource.'],
  modified: [412, 114, 'Precondition Failed', 'Resource was modified meanwhile'],
  notAllowed: [405, 115, 'Method Not Allowed', 'Method not allowed on this endpoint.'],
  conflict: [409, 122, 'Conflict', 'Integrity constraint violated, please retry.'],
  full: [507, 121, 'Insufficient Storage', 'There was not enough space to save the resource.'],
  down: [503, 201, 'Service Unavailable', 'Service temporary unavailable due to overloading.'],
  broken: [500, 999, 'Internal Server Error', 'A programmatic error occured.'],
  gone: [410, 202, 'Gone', 'The service you are trying to connect no longer exists.'],
} as const;

/** `details` are left out where there are none. */
export function kintoError(
  kind: keyof typeof ERRORS,
  {
    message,
    details,
    headers = {},
  }: { message?: string; details?: unknown; headers?: HeaderValues } = {},
): HttpError {
  const [code, errno, error, text] = ERRORS[kind];
  const json = {
    code,
    errno,
    error,
    message: message ?? text,
    ...(details !== undefined && { details }),
  };
  return new HttpError(code, json, headers);
}
