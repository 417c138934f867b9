import { randomBytes } from 'node:crypto';
import { json, type Reply } from '../reply.ts';

interface Known {
  title: string;
  details: string;
  status: number;
}

/**
 * Codes with Meta's titles: developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes, read
 * 2026-05-15. The HTTP statuses are those of an older copy of that table; Meta asks callers to go by the code.
 */
const KNOWN: Readonly<Record<number, Known>> = {
  0: { title: 'AuthException', details: 'We were unable to authenticate the app user.', status: 401 },
  1: { title: 'API Unknown', details: 'Invalid request or possible server error.', status: 400 },
  2: { title: 'API Service', details: 'Temporary due to downtime or due to being overloaded.', status: 503 },
  3: { title: 'API Method', details: 'Capability or permissions issue.', status: 500 },
  4: { title: 'API Too Many Calls', details: 'The app has reached its API call rate limit.', status: 400 },
  10: { title: 'Permission Denied', details: 'Permission is either not granted or has been removed.', status: 403 },
  33: { title: 'Parameter value is not valid', details: 'The business phone number has been deleted.', status: 400 },
  100: { title: 'Invalid parameter', details: 'The request included one or more unsupported parameters.', status: 400 },
  190: { title: 'Access token has expired', details: 'Your access token has expired.', status: 401 },
  200: { title: 'API Permission', details: 'Permission is either not granted or has been removed.', status: 403 },
  368: {
    title: 'Temporarily blocked for policies violations',
    details: 'The WhatsApp Business Account has been restricted or disabled for violating a platform policy.',
    status: 403,
  },
  80007: {
    title: 'Rate limit issues',
    details: 'The WhatsApp Business Account has reached its rate limit.',
    status: 400,
  },
  130403: {
    title: 'User is blocked',
    details: 'The business has blocked this user.',
    status: 400,
  },
  130429: { title: 'Rate limit hit', details: 'Cloud API message throughput has been reached.', status: 400 },
  130472: {
    title: "User's number is part of an experiment",
    details: 'Message was not sent as part of an experiment.',
    status: 400,
  },
  130497: {
    title: 'Business account is restricted from messaging users in this country',
    details: 'The business account is restricted from messaging users in certain countries.',
    status: 403,
  },
  131000: { title: 'Something went wrong', details: 'Message failed to send due to an unknown error.', status: 500 },
  131005: { title: 'Access denied', details: 'Permission is either not granted or has been removed.', status: 403 },
  131008: {
    title: 'Required parameter is missing',
    details: 'The request is missing a required parameter.',
    status: 400,
  },
  131009: { title: 'Parameter value is not valid', details: 'One or more parameter values are invalid.', status: 400 },
  131016: { title: 'Service unavailable', details: 'A service is temporarily unavailable.', status: 500 },
  131021: {
    title: 'Recipient cannot be sender',
    details: 'Sender and recipient phone number is the same.',
    status: 400,
  },
  131026: { title: 'Message undeliverable', details: 'Unable to deliver message.', status: 400 },
  131030: {
    title: 'Recipient phone number not in allowed list',
    details: 'Recipient phone number not in allowed list.',
    status: 400,
  },
  131031: { title: 'Account has been locked', details: 'The account has been restricted or disabled.', status: 403 },
  131037: {
    title: 'WhatsApp provided number needs display name approval before message can be sent',
    details: 'The 555 business phone number does not have an approved display name.',
    status: 400,
  },
  131042: {
    title: 'Business eligibility payment issue',
    details: 'There was an error related to your payment method.',
    status: 400,
  },
  131045: { title: 'Incorrect certificate', details: 'Phone number registration error.', status: 500 },
  131047: {
    title: 'Re-engagement message',
    details: 'More than 24 hours have passed since the recipient last replied to the sender number.',
    status: 400,
  },
  131048: {
    title: 'Spam rate limit hit',
    details: 'There are restrictions on how many messages can be sent from this phone number.',
    status: 400,
  },
  131049: {
    title: 'This message was not delivered to maintain healthy ecosystem engagement.',
    details: 'In order to maintain a healthy ecosystem engagement, the message failed to be delivered.',
    status: 400,
  },
  131050: {
    title: 'User has stopped marketing messages',
    details: 'The recipient has chosen to stop receiving marketing messages from your business.',
    status: 400,
  },
  131051: { title: 'Unsupported message type', details: 'Message type is currently not supported.', status: 400 },
  131052: { title: 'Media download error', details: 'Unable to download the media sent by the user.', status: 400 },
  131053: { title: 'Media upload error', details: 'Unable to upload the media used in the message.', status: 400 },
  131056: {
    title: '(Business Account, Consumer Account) pair rate limit hit',
    details:
      'Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.',
    status: 400,
  },
  131057: { title: 'Account in maintenance mode', details: 'Business Account is in maintenance mode.', status: 500 },
  131062: {
    title: 'Business-scoped user id not supported',
    details: 'This message cannot be sent to a business-scoped user id.',
    status: 400,
  },
  131063: {
    title: 'Marketing messages are not supported',
    details: 'Marketing template messages cannot be sent from this number by Cloud API.',
    status: 400,
  },
  131064: {
    title: 'Template limit',
    details: 'Templates of this account were classified wrongly too often.',
    status: 400,
  },
  132000: {
    title: 'Number of parameters does not match the expected number of params',
    details: 'The number of variable values does not match the template.',
    status: 400,
  },
  132001: {
    title: 'Template name does not exist in the translation',
    details: 'The template does not exist in the specified language or has not been approved.',
    status: 404,
  },
  132005: { title: 'Translated text too long', details: 'Translated text is too long.', status: 400 },
  132007: {
    title: 'Template format character policy violated',
    details: 'Template content violates a WhatsApp policy.',
    status: 400,
  },
  132012: {
    title: 'Parameter format does not match format in the created template',
    details: 'Variable values are formatted incorrectly.',
    status: 400,
  },
  132015: { title: 'Template is paused', details: 'Template is paused due to low quality.', status: 400 },
  132016: { title: 'Template is disabled', details: 'Template was paused too often and is disabled.', status: 400 },
  132018: {
    title: 'Template parameters are not valid',
    details: 'The template parameters are not valid.',
    status: 400,
  },
  132068: { title: 'Flow is blocked', details: 'Flow is in blocked state.', status: 400 },
  132069: { title: 'Flow is throttled', details: 'Flow is in throttled state.', status: 400 },
  133004: { title: 'Server temporarily unavailable', details: 'Server is temporarily unavailable.', status: 503 },
  132008: { title: 'Template format mismatch', details: 'Parameters do not fit the format.', status: 400 },
  133010: { title: 'Account not registered', details: 'The phone number is not registered.', status: 400 },
  135000: { title: 'Generic user error', details: 'Message failed to send because of an unknown error.', status: 400 },
};

function known(code: number): Known {
  return KNOWN[code] ?? { title: 'Simulated error', details: `The simulator was asked for code ${code}.`, status: 400 };
}

/** Meta's trace id: opaque, different each time. */
function traceId(): string {
  return `A${randomBytes(16).toString('base64url')}`;
}

/** An error as a send answers it, with the title of the code and `error_data`. */
export function codedError(code: number, details?: string): Reply {
  const { title, details: usual, status } = known(code);
  return json(
    {
      error: {
        message: `(#${code}) ${title}`,
        type: 'OAuthException',
        code,
        error_data: { messaging_product: 'whatsapp', details: details ?? usual },
        fbtrace_id: traceId(),
      },
    },
    status,
  );
}

/** An error of the Graph API itself, as it has it for parameters, ids and tokens: a sentence, no `error_data`. */
export function graphError(
  message: string,
  {
    code = 100,
    status = 400,
    type = 'OAuthException',
    subcode,
  }: { code?: number; status?: number; type?: string; subcode?: number } = {},
): Reply {
  const error = {
    message,
    type,
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    fbtrace_id: traceId(),
  };
  return json({ error }, status);
}

/** An error about a template, with what a person is shown. Subcodes: .../support/error-codes, "Template errors". */
export function templateError(subcode: number, title: string, explanation: string): Reply {
  const error = {
    message: 'Invalid parameter',
    type: 'OAuthException',
    code: 100,
    error_subcode: subcode,
    is_transient: false,
    error_user_title: title,
    error_user_msg: explanation,
    fbtrace_id: traceId(),
  };
  return json({ error }, 400);
}

/** What Graph answers for an id that it does not know. */
export function unknownObject(method: string, id: string): Reply {
  const verb = method === 'GET' ? 'get' : method === 'DELETE' ? 'delete' : 'post';
  return graphError(
    `Unsupported ${verb} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api`,
    { type: 'GraphMethodException', subcode: 33 },
  );
}

/** An item of `errors[]` in a webhook. There `message` equals `title` and neither names the code. */
export interface WebhookError {
  code: number;
  title: string;
  message: string;
  error_data: { details: string };
  href: string;
}

/** A code as a status webhook says it. */
export function webhookError(code: number): WebhookError {
  const { title, details } = known(code);
  const href = '/documentation/business-messaging/whatsapp/support/error-codes';
  return { code, title, message: title, error_data: { details }, href };
}
