// Made of docs/openapi.json by `npm run generate`; do not edit. A test holds the two hashes.
// document 5fd705faa8cb2833bf2ed686b1e9b680a74be65d6fb6747ab49401bdada59b5f
// text     f6d3758cbb8f6b8a9fbca23adb6218b781bb3f8577a48162baaa017026c8f634

export interface paths {
  "/api/v1/messages": {
    /**
     * List messages, the newest first
     * @description Those of all channels. By cursor to any depth; by page within the newest 10,000, with totals. A page by cursor looks at 5,000 messages at most: with a rare filter it may be short, and next_cursor goes on. The total is exact for any of sender_id, direction, type and status; with other filters counting stops at 10,000 messages.
     */
    get: {
      parameters: {
        query?: {
          /** @description Own or external id. */
          sender_id?: string;
          /** @description Own or external id. */
          contact_id?: string;
          /** @description Own or external id. */
          conversation_id?: string;
          /** @description The id of a batch. */
          batch_id?: string;
          direction?: "inbound" | "outbound";
          type?: string;
          /** @description The documented word for the state. */
          status?: "queued" | "sent" | "delivered" | "read" | "failed";
          /** @description The true state, instead of status. scheduled: queued, for a time that is to come. */
          state?: "scheduled" | "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
          /** @description Failed for this: `outcome_unknown`. */
          error?: string;
          /** @description Failed with this code of the provider's; 0: none. */
          error_code?: number;
          /** @description created_at from here on: a day, or a time with a zone. */
          start_date?: string;
          /** @description created_at up to here: a day, whole, or a time with a zone. */
          end_date?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
          /** @description Instead of a cursor: which page, from 1, within the newest 10,000 messages. Adds the totals. */
          page?: number;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["MessageList"];
          };
        };
      };
    };
    /**
     * Accept a message
     * @description Answered when the message is durably stored. A repeated Idempotency-Key is answered as the first time. It is addressed by `to` or `recipient_phone`, or by `conversation_id`: then address and sender are those of the conversation; between users, and with `note`, it is a chat message of the user that the request speaks for, answered as it is shown. With `whatsapp_message_id` beside `conversation_id` the message was sent elsewhere: it is recorded and never sent; 201, and 200 when it is known already. When the customer is known to have written last more than 24 hours ago, what is no template is 409 `window_closed`, or its `fallback_template` is sent with the warning `sent_as_template`; who opted out is 409 `recipient_suppressed`.
     */
    post: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description Whom it is for: E.164 with +, or a business-scoped user id.
             * @example +6281234567890
             */
            recipient_phone?: string;
            /** @description The same by another name; give one of the two. */
            to?: string;
            /** @description The number it leaves from: own or external id. Absent: the tenant's default. */
            sender_id?: string;
            /**
             * @description Absent: what the rest of the message tells.
             * @enum {string}
             */
            type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
            /** @description What is sent when present; content is then kept for display. */
            template?: {
              name: string;
              /** @example en_US */
              language: string;
              /** @description As WhatsApp takes them. */
              components?: Record<string, unknown>[];
            } | null;
            /** @description What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template. */
            fallback_template?: {
              name: string;
              /** @example en_US */
              language: string;
              /** @description As WhatsApp takes them. */
              components?: Record<string, unknown>[];
            };
            /** @description Values for the {name}s in the text. */
            variables?: {
              [key: string]: string | number;
            };
            /** @description The message it answers: our id or the id of WhatsApp. */
            reply_to?: string | null;
            /**
             * Format: date-time
             * @description Not before this time; at most a year ahead.
             */
            scheduled_at?: string | null;
            /**
             * Format: date-time
             * @description Not after this time; less than two years ahead.
             */
            expires_at?: string | null;
            /** @description Instead of expires_at: for so many seconds from when it may leave. */
            ttl?: number;
            /**
             * @description Absent: normal, and low in a batch.
             * @enum {string}
             */
            priority?: "high" | "normal" | "low";
            /**
             * @description Absent: the template's own if it is known here, else marketing; service without a template.
             * @enum {string}
             */
            category?: "service" | "utility" | "authentication" | "marketing";
            /** @description Yours, at most 4096 bytes; given back. */
            metadata?: Record<string, unknown> | null;
            /**
             * @description Who wrote it. The conversation service is told; absent: `llm`.
             * @enum {string}
             */
            sender_type?: "llm" | "agent" | "bot" | "user";
            /** @description What is said. A string is its text. */
            content?: {
              /** @description The text, or the caption of media. {name}s are filled in. */
              text?: string;
              /** @description Of a text: whether its first link is shown as a preview. */
              preview_url?: boolean;
              /** @description An http(s) URL that WhatsApp fetches. */
              media_url?: string;
              /** @description Instead of media_url: a file that is stored here. */
              media_id?: string;
              /** @description Of a document, as the customer sees it. */
              filename?: string;
              /** @description Of an audio: shown as a voice message. OGG with Opus only. */
              voice?: boolean;
              location?: {
                /** @description From -90 to 90. */
                latitude: number;
                /** @description From -180 to 180. */
                longitude: number;
                name?: string;
                address?: string;
              };
              /** @description Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257. */
              contacts?: Record<string, unknown>[];
              reaction?: {
                /** @description The message it is to: our id or the id of WhatsApp. */
                message_id: string;
                /** @description One emoji; an empty one takes the reaction back. */
                emoji: string;
              };
              /** @description As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in. */
              interactive?: Record<string, unknown>;
            } | string | null;
            /**
             * @description Between users: text, image, video, audio, file, sticker (their `metadata.media_url` says where the file is), location (`metadata.latitude`, `metadata.longitude`), contact, system. To a customer: `type` by another name.
             * @enum {string}
             */
            message_type?: "text" | "image" | "video" | "audio" | "file" | "location" | "sticker" | "contact" | "system" | "template" | "document" | "contacts" | "reaction" | "interactive";
            /** @description Instead of an addressee: the conversation that it answers in, by own or external id. */
            conversation_id?: string;
            /** @description Users who are named in the text of a message between users, or of a note. */
            mentions?: {
              user_id: string;
              /** @description In UTF-16 code units, as JavaScript counts. */
              offset: number;
              length: number;
            }[];
            /** @description In a conversation: the message that it answers. */
            parent_message_id?: string | null;
            /** @description In a conversation with a customer: an internal note, which never reaches him. */
            note?: boolean;
            /** @description Beside conversation_id: the message was sent elsewhere. It is recorded, never sent. */
            whatsapp_message_id?: string;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Accepted"];
          };
        };
        201: {
          content: {
            "application/json": components["schemas"]["Accepted"];
          };
        };
        202: {
          content: {
            "application/json": components["schemas"]["Accepted"] | components["schemas"]["ChatMessage"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}": {
    /**
     * A message with its history
     * @description For a user, and of what was said between users: as it is shown in its conversation.
     */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["MessageWithHistory"] | components["schemas"]["ChatMessage"];
          };
        };
      };
    };
    /**
     * Edit what you said
     * @description What it said before is kept. Mentions that are not named again are gone. A WhatsApp message cannot be edited: 409 `not_supported_by_whatsapp`. Event: `chat.edited`.
     */
    put: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description What it says from now on; at most 4096 characters. */
            content: string;
            /** @description Users who are named in the text of a message between users, or of a note. */
            mentions?: {
              user_id: string;
              /** @description In UTF-16 code units, as JavaScript counts. */
              offset: number;
              length: number;
            }[];
          };
        };
      };
      responses: {
        /** @description What somebody said, the same here, on sockets and in events. */
        200: {
          content: {
            "application/json": components["schemas"]["ChatMessage"];
          };
        };
      };
    };
    /**
     * Delete what you said
     * @description Its place stays, and what it said is gone for all. A WhatsApp message that has not left is cancelled; one that has is 409 `not_supported_by_whatsapp`. Event: `chat.deleted`.
     */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["StateAnswer"] | components["schemas"]["ChatMessage"];
          };
        };
      };
    };
    /**
     * Change when a message leaves
     * @description Before it leaves: `scheduled_at` before its first attempt, `expires_at` while it waits. 409 `too_late` after that. A repeated Idempotency-Key changes nothing more. Event: `message.rescheduled`.
     */
    patch: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * Format: date-time
             * @description Not before this time, at most a year ahead. Null: now.
             */
            scheduled_at?: string | null;
            /**
             * Format: date-time
             * @description Not after this time. Null: for as long as `messages.validity` lets it wait.
             */
            expires_at?: string | null;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/status": {
    /** The status of a message */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["MessageStatus"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/read": {
    /**
     * Mark a message as read
     * @description A customer's: the conversation has one unread message less, and WhatsApp is told. One between users, or a note: the user has read it and all before it, and its author is told. A repeat changes nothing.
     */
    put: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["StateAnswer"];
          };
        };
      };
    };
    /**
     * Mark a message as read
     * @description A customer's: the conversation has one unread message less, and WhatsApp is told. One between users, or a note: the user has read it and all before it, and its author is told. A repeat changes nothing.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["StateAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/typing": {
    /**
     * Show the customer that an answer is being written
     * @description WhatsApp shows it for up to 25 seconds, or until the next message. The customer's message is marked as read with it. Best effort: what cannot be told within 10 seconds is not told.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["StateAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/cancel": {
    /** Cancel a message that has not left */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["StateAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/retry": {
    /**
     * Send a failed message again
     * @description It is due at once, but not before the time that WhatsApp wants to pass after some errors. One of which an attempt may have arrived is 409 `may_have_arrived`, unless `accept_duplicate` says that it may come twice.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description Send it although an attempt may have arrived: the customer may get it twice.
             * @default false
             */
            accept_duplicate?: boolean;
          } | null;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["StateAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/explain": {
    /**
     * Why has it not left?
     * @description The state of a message in words, the cause that holds it back as a code, what happens next and when, what a person can do, and its whole history. All of it is of one moment, by the clock of the database.
     */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Explanation"];
          };
        };
      };
    };
  };
  "/api/v1/conversations": {
    /**
     * List conversations
     * @description For a user those that he is in, that with the newest message first, each with what he has not read. For software all of them, the newest made first.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
          type?: "customer" | "direct" | "group";
          /** @description Only open ones, or only closed ones. */
          open?: "true" | "false";
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ConversationList"];
          };
        };
      };
    };
    /**
     * Make a conversation
     * @description Of two users, and of a customer and a sender, there is one: when it is there, it is answered with 200, and takes what it has not yet (`title`, `metadata`, `external_id`, `retention_days`); what it has stays. Asked for by another `external_id` than it has, it is 409 `already_exists`, which names it. One with a customer is made by software that may send messages; what is said there leaves by WhatsApp. Event: `conversation.created`.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description direct: two users. group: up to 1,024. customer: users with a customer on WhatsApp.
             * @enum {string}
             */
            type: "customer" | "direct" | "group";
            /** @description The user who asks need not be named. */
            participants?: {
              /** @description Your own id of the user; he needs no registration. */
              user_id: string;
              /**
               * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
               * @enum {string}
               */
              role?: "owner" | "admin" | "member";
              /** @description Absent: true. */
              can_send_messages?: boolean;
            }[];
            /** @description 1 to 200 characters. */
            title?: string | null;
            /** @description Yours, at most 16,384 bytes; given back. */
            metadata?: Record<string, unknown> | null;
            /** @description What you call it: it is found by this as well. */
            external_id?: string | null;
            /** @description After how many days what was said is removed. Null: the tenant's rule. */
            retention_days?: number | null;
            /** @description With a customer: his phone number or business-scoped user id, or contact_id. */
            to?: string;
            /** @description With a customer: the contact, by own or external id. */
            contact_id?: string | null;
            /** @description With a customer: the number; own or external id. Absent: the tenant's default. */
            sender_id?: string | null;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Conversation"];
          };
        };
        201: {
          content: {
            "application/json": components["schemas"]["Conversation"];
          };
        };
      };
    };
  };
  "/api/v1/conversations/{id}": {
    /** A conversation with who is in it */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ConversationSeen"];
          };
        };
      };
    };
    /**
     * Change, close or open a conversation
     * @description Events: `conversation.updated`, `conversation.closed`, `conversation.opened`.
     */
    patch: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description 1 to 200 characters. */
            title?: string | null;
            /** @description Yours, at most 16,384 bytes; given back. */
            metadata?: Record<string, unknown> | null;
            /** @description After how many days what was said is removed. Null: the tenant's rule. */
            retention_days?: number | null;
            /** @description true: nobody writes there until it is opened. false: opened. */
            closed?: boolean;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ConversationRecord"];
          };
        };
      };
    };
  };
  "/api/v1/conversations/{id}/participants": {
    /** Who is in a conversation, the longest first */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ParticipantList"];
          };
        };
      };
    };
    /**
     * Add users to a conversation
     * @description Those who are in it already stay as they are. A user who is added sees what is said from then on as events, and the history. Event: `participant.joined`, each.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            participants: {
              /** @description Your own id of the user; he needs no registration. */
              user_id: string;
              /**
               * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
               * @enum {string}
               */
              role?: "owner" | "admin" | "member";
              /** @description Absent: true. */
              can_send_messages?: boolean;
            }[];
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ParticipantList"];
          };
        };
      };
    };
  };
  "/api/v1/conversations/{id}/participants/{user_id}": {
    /**
     * Remove a participant, or leave
     * @description Everybody may leave; owners and admins remove others. When the last owner goes, the admin who is longest in it becomes one, else who is longest in it. Events: `participant.left`, and `participant.changed` of a new owner.
     */
    delete: {
      parameters: {
        path: {
          /** @description The conversation, by own or external id. */
          id: string;
          /** @description Your own id of the user. */
          user_id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Left"];
          };
        };
      };
    };
    /**
     * Change a participant's role, or whether he may write
     * @description Event: `participant.changed`.
     */
    patch: {
      parameters: {
        path: {
          /** @description The conversation, by own or external id. */
          id: string;
          /** @description Your own id of the user. */
          user_id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
             * @enum {string}
             */
            role?: "owner" | "admin" | "member";
            /** @description Absent: true. */
            can_send_messages?: boolean;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Participant"];
          };
        };
      };
    };
  };
  "/api/v1/conversations/{id}/messages": {
    /**
     * What was said in a conversation
     * @description The newest first. With a customer: what went and came by WhatsApp, and the notes, in the order of their ids.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description Older ones than this message, the newest first. */
          before_id?: string;
          /** @description Newer ones than this message, the oldest first. */
          after_id?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["SaidList"];
          };
        };
      };
    };
  };
  "/api/v1/conversations/{id}/typing": {
    /**
     * Show that the user is typing
     * @description To all who are in the conversation; it is no event and is not kept. With a customer he is shown it too, under his last message, which is marked as read by that; software may do so without a user.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description false: he has stopped. It ends by itself after 6 seconds too. */
            is_typing: boolean;
          };
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["TypingAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/reactions": {
    /**
     * React to a message
     * @description With one emoji, in place of your last one. To a WhatsApp message the reaction is sent as a message of its own: 202. Event: `chat.reaction`.
     */
    post: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description One emoji; it takes the place of your last one. An empty one takes it back. */
            emoji: string;
          };
        };
      };
      responses: {
        /** @description What somebody said, the same here, on sockets and in events. */
        200: {
          content: {
            "application/json": components["schemas"]["ChatMessage"];
          };
        };
        202: {
          content: {
            "application/json": components["schemas"]["Accepted"];
          };
        };
      };
    };
    /** Take a reaction back */
    delete: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description What somebody said, the same here, on sockets and in events. */
        200: {
          content: {
            "application/json": components["schemas"]["ChatMessage"];
          };
        };
        202: {
          content: {
            "application/json": components["schemas"]["Accepted"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/edits": {
    /** What a message said before it was edited, the oldest first */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["EditList"];
          };
        };
      };
    };
  };
  "/api/v1/messages/{id}/replies": {
    /**
     * The answers to a message
     * @description Of messages between users and notes. The oldest first, and on by `after_id`; with `before_id` the newest first.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description Older ones than this message, the newest first. */
          before_id?: string;
          /** @description Newer ones than this message, the oldest first. */
          after_id?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["SaidList"];
          };
        };
      };
    };
  };
  "/api/v1/messages/send": {
    /**
     * Send a message and wait until it is sent
     * @description Accepts the message durably, at high priority, and waits for up to `messages.send_timeout`. 200 with `status` `sent` when WhatsApp has it (`state` may be further already); 500 `send_failed` when it has failed for good; 202 with its state when the time is over, and at once when its sender is stopped or it is scheduled for later: it goes on being sent then.
     */
    post: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description Whom it is for: E.164 with +, or a business-scoped user id.
             * @example +6281234567890
             */
            recipient_phone?: string;
            /** @description The same by another name; give one of the two. */
            to?: string;
            /** @description The number it leaves from: own or external id. Absent: the tenant's default. */
            sender_id?: string;
            /**
             * @description Absent: what the rest of the message tells.
             * @enum {string}
             */
            type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
            /** @description What is said. A string is its text. */
            content?: {
              /** @description The text, or the caption of media. {name}s are filled in. */
              text?: string;
              /** @description Of a text: whether its first link is shown as a preview. */
              preview_url?: boolean;
              /** @description An http(s) URL that WhatsApp fetches. */
              media_url?: string;
              /** @description Instead of media_url: a file that is stored here. */
              media_id?: string;
              /** @description Of a document, as the customer sees it. */
              filename?: string;
              /** @description Of an audio: shown as a voice message. OGG with Opus only. */
              voice?: boolean;
              location?: {
                /** @description From -90 to 90. */
                latitude: number;
                /** @description From -180 to 180. */
                longitude: number;
                name?: string;
                address?: string;
              };
              /** @description Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257. */
              contacts?: Record<string, unknown>[];
              reaction?: {
                /** @description The message it is to: our id or the id of WhatsApp. */
                message_id: string;
                /** @description One emoji; an empty one takes the reaction back. */
                emoji: string;
              };
              /** @description As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in. */
              interactive?: Record<string, unknown>;
            } | string;
            /** @description What is sent when present; content is then kept for display. */
            template?: {
              name: string;
              /** @example en_US */
              language: string;
              /** @description As WhatsApp takes them. */
              components?: Record<string, unknown>[];
            };
            /** @description What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template. */
            fallback_template?: {
              name: string;
              /** @example en_US */
              language: string;
              /** @description As WhatsApp takes them. */
              components?: Record<string, unknown>[];
            };
            /** @description Values for the {name}s in the text. */
            variables?: {
              [key: string]: string | number;
            };
            /** @description The message it answers: our id or the id of WhatsApp. */
            reply_to?: string;
            /**
             * Format: date-time
             * @description Not before this time; at most a year ahead.
             */
            scheduled_at?: string;
            /**
             * Format: date-time
             * @description Not after this time; less than two years ahead.
             */
            expires_at?: string;
            /** @description Instead of expires_at: for so many seconds from when it may leave. */
            ttl?: number;
            /**
             * @description Absent: normal, and low in a batch.
             * @enum {string}
             */
            priority?: "high" | "normal" | "low";
            /**
             * @description Absent: the template's own if it is known here, else marketing; service without a template.
             * @enum {string}
             */
            category?: "service" | "utility" | "authentication" | "marketing";
            /** @description Yours, at most 4096 bytes; given back. */
            metadata?: Record<string, unknown>;
            /**
             * @description Who wrote it. The conversation service is told; absent: `llm`.
             * @enum {string}
             */
            sender_type?: "llm" | "agent" | "bot" | "user";
            /**
             * @description `type` by another name.
             * @enum {string}
             */
            message_type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
            /** @description What the conversation with this customer is called: an own or external id. One that is not known becomes its external id. It addresses nobody, and is given back. */
            conversation_id?: string;
            /** @description The tenant it is sent for: the key's own, by own or external id. An operator's key may name any. */
            tenant_id?: string;
            /** @description The sender, by own or external id; `sender_id` by another name. */
            outlet_id?: string;
            /** @description The text; `content.text` by another name. */
            message?: string;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["SendAnswer"];
          };
        };
        202: {
          content: {
            "application/json": components["schemas"]["SendAnswer"];
          };
        };
      };
    };
  };
  "/api/v1/messages/statistics": {
    /**
     * How many messages there are
     * @description By status, direction and type, since the beginning. It is counted with every change, so it costs the same at any size. A sender that does not exist is 404.
     */
    get: {
      parameters: {
        query?: {
          /** @description Of this sender only: own or external id. */
          sender_id?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Statistics"];
          };
        };
      };
    };
  };
  "/api/v1/messages/batch": {
    /**
     * Accept up to 10,000 messages
     * @description Each is accepted or refused on its own; refusals name the place in the request.
     */
    post: {
      parameters: {
        header?: {
          /** @description Your mark on this request, 1 to 255 characters: repeated, it is done once. */
          "idempotency-key"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            messages: components["schemas"]["MessageBody"][];
          };
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["AcceptedBatch"];
          };
        };
      };
    };
  };
  "/api/v1/batches/{id}": {
    /** A batch: how many of its messages are in which state */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Batch"];
          };
        };
      };
    };
  };
  "/api/v1/events": {
    /**
     * What happened, in order
     * @description Every change of state of every message, and all that happens in conversations. A request that speaks for a user gets what he may see. Ask again with next_cursor; nothing is skipped.
     */
    get: {
      parameters: {
        query?: {
          /** @description The next_cursor of the page before; `now` for the end of the log. Absent: from the first event that is kept. */
          after?: string;
          /** @description Only events of these types, separated by commas. `chat.*` means all that begin so. */
          types?: string;
          /** @description Only what is of this conversation: by its own or external id. */
          conversation_id?: string;
          limit?: number;
          /** @description Seconds to wait when there is none yet. */
          wait?: number;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["EventList"];
          };
        };
      };
    };
  };
  "/api/v1/tenants": {
    /** List tenants, the newest first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["TenantList"];
          };
        };
      };
    };
    /**
     * Make a tenant
     * @description Give an external_id, and a request that is repeated makes no second one: it is 409 already_exists.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            name: string;
            /** @description Your own id of it, which finds it as well as ours does. */
            external_id?: string | null;
            /** @description Messages a calendar month, UTC. */
            monthly_quota?: number | null;
            /** @description Requests a second of the API, on average. */
            requests_per_second?: number | null;
            /** @description Requests that may come at once. */
            request_burst?: number | null;
            /** @description By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing. */
            doubt_policy?: {
              /** @enum {string} */
              service?: "resend" | "tell";
              /** @enum {string} */
              utility?: "resend" | "tell";
              /** @enum {string} */
              authentication?: "resend" | "tell";
              /** @enum {string} */
              marketing?: "resend" | "tell";
            };
            /** @description Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there. */
            consent_keywords?: {
              opt_out?: string[];
              opt_in?: string[];
            } | null;
            /** @description By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is. */
            quiet_hours?: {
              service?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              utility?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              authentication?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              marketing?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
            };
            /** @description Days that what people say in conversations is kept, where the conversation says nothing. null: for ever. */
            retention_days?: number | null;
            /** @description false: nothing of it leaves, as after /processor/stop. */
            processing?: boolean;
          };
        };
      };
      responses: {
        /** @description A tenant. Limits that are null: what the configuration says. */
        201: {
          content: {
            "application/json": components["schemas"]["Tenant"];
          };
        };
      };
    };
  };
  "/api/v1/tenants/{id}": {
    /** A tenant, by own or external id */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A tenant. Limits that are null: what the configuration says. */
        200: {
          content: {
            "application/json": components["schemas"]["Tenant"];
          };
        };
      };
    };
    /** Delete a tenant that has no senders, and its keys */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Change a tenant
     * @description What is absent stays; null takes away. Another instance knows of it within 5 s.
     */
    patch: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            name?: string;
            /** @description Your own id of it, which finds it as well as ours does. */
            external_id?: string | null;
            /** @description Messages a calendar month, UTC. */
            monthly_quota?: number | null;
            /** @description Requests a second of the API, on average. */
            requests_per_second?: number | null;
            /** @description Requests that may come at once. */
            request_burst?: number | null;
            /** @description By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing. */
            doubt_policy?: {
              /** @enum {string} */
              service?: "resend" | "tell";
              /** @enum {string} */
              utility?: "resend" | "tell";
              /** @enum {string} */
              authentication?: "resend" | "tell";
              /** @enum {string} */
              marketing?: "resend" | "tell";
            };
            /** @description Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there. */
            consent_keywords?: {
              opt_out?: string[];
              opt_in?: string[];
            } | null;
            /** @description By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is. */
            quiet_hours?: {
              service?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              utility?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              authentication?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
              marketing?: {
                /** @description HH:MM. */
                from: string;
                /** @description HH:MM. */
                to: string;
              };
            };
            /** @description Days that what people say in conversations is kept, where the conversation says nothing. null: for ever. */
            retention_days?: number | null;
            /** @description false: nothing of it leaves, as after /processor/stop. */
            processing?: boolean;
          };
        };
      };
      responses: {
        /** @description A tenant. Limits that are null: what the configuration says. */
        200: {
          content: {
            "application/json": components["schemas"]["Tenant"];
          };
        };
      };
    };
  };
  "/api/v1/senders": {
    /** List senders, the newest first */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["SenderList"];
          };
        };
      };
    };
    /**
     * Make a sender
     * @description A number needs phone_number_id, account_id, phone and access_token, a webhook its webhook_url. A tenant's first sender is its default.
     */
    post: {
      parameters: {
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
            tenant_id?: string;
            /**
             * @description whatsapp if absent.
             * @enum {string}
             */
            channel?: "whatsapp" | "webhook";
            name?: string;
            /** @description The number, E.164 with +. */
            phone?: string;
            /** @description Its id in the Graph API. */
            phone_number_id?: string;
            /** @description Its WhatsApp Business Account. */
            account_id?: string;
            /** @description Its business portfolio, whose limits its numbers share. Absent: its account. */
            portfolio_id?: string;
            /** @description The token that may send from it. Kept encrypted; never told again. */
            access_token?: string;
            /** @description Where messages are posted to. */
            webhook_url?: string;
            /** @description Your own id of it, which finds it as well as ours does. */
            external_id?: string | null;
            /** @description The header its key travels in. */
            webhook_header?: string | null;
            /** @description The key that is sent along. Kept encrypted; never told again. */
            webhook_key?: string | null;
            /** @description How fast it may send. Absent or null: as WhatsApp says, 80 until it is known. */
            messages_per_second?: number | null;
            /** @description The most that leave in a minute; the others wait. */
            per_minute?: number | null;
            /** @description The most that are accepted in a day, UTC; more are refused. */
            per_day?: number | null;
            /** @description The most that leave in one processing_interval_ms. */
            batch_size?: number | null;
            /** @description Milliseconds, with batch_size. */
            processing_interval_ms?: number | null;
            /** @description Requests that name no sender leave from it; the last one said so. */
            is_default?: boolean;
            /** @description false: accepts nothing and sends nothing. */
            enabled?: boolean;
            /**
             * @description What becomes of free text to a customer whose window is known to be closed: refused here (window_closed, the usual), or sent for WhatsApp to judge.
             * @enum {string}
             */
            outside_window?: "refuse" | "send";
          };
        };
      };
      responses: {
        /** @description A sender, without its secrets. Limits that are null: what the configuration says. */
        201: {
          content: {
            "application/json": components["schemas"]["Sender"];
          };
        };
      };
    };
  };
  "/api/v1/senders/{id}": {
    /** A sender, by own or external id */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A sender, without its secrets. Limits that are null: what the configuration says. */
        200: {
          content: {
            "application/json": components["schemas"]["Sender"];
          };
        };
      };
    };
    /** Delete a sender that has never sent or received */
    delete: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Change a sender
     * @description What is absent stays; null takes away. Which number, channel and portfolio it is, it stays.
     */
    patch: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            name?: string;
            /** @description The number, E.164 with +. */
            phone?: string;
            /** @description Its WhatsApp Business Account. */
            account_id?: string;
            /** @description The token that may send from it. Kept encrypted; never told again. */
            access_token?: string;
            /** @description Where messages are posted to. */
            webhook_url?: string;
            /** @description Your own id of it, which finds it as well as ours does. */
            external_id?: string | null;
            /** @description The header its key travels in. */
            webhook_header?: string | null;
            /** @description The key that is sent along. Kept encrypted; never told again. */
            webhook_key?: string | null;
            /** @description How fast it may send. Absent or null: as WhatsApp says, 80 until it is known. */
            messages_per_second?: number | null;
            /** @description The most that leave in a minute; the others wait. */
            per_minute?: number | null;
            /** @description The most that are accepted in a day, UTC; more are refused. */
            per_day?: number | null;
            /** @description The most that leave in one processing_interval_ms. */
            batch_size?: number | null;
            /** @description Milliseconds, with batch_size. */
            processing_interval_ms?: number | null;
            /** @description Requests that name no sender leave from it; the last one said so. */
            is_default?: boolean;
            /** @description false: accepts nothing and sends nothing. */
            enabled?: boolean;
            /**
             * @description What becomes of free text to a customer whose window is known to be closed: refused here (window_closed, the usual), or sent for WhatsApp to judge.
             * @enum {string}
             */
            outside_window?: "refuse" | "send";
          };
        };
      };
      responses: {
        /** @description A sender, without its secrets. Limits that are null: what the configuration says. */
        200: {
          content: {
            "application/json": components["schemas"]["Sender"];
          };
        };
      };
    };
  };
  "/api/v1/templates": {
    /** List templates, the newest first */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          /** @description The WhatsApp Business Account. */
          account_id?: string;
          /** @description Instead of account_id: a sender of it, by own or external id. Neither: the default sender. */
          sender_id?: string;
          /** @description Small letters, digits and _. */
          name?: string;
          /** @description Like en, en_US or pt_BR. */
          language?: string;
          /** @description WhatsApp's word: APPROVED. */
          status?: string;
          category?: "utility" | "authentication" | "marketing";
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["TemplateList"];
          };
        };
      };
    };
    /**
     * Make a template and submit it to WhatsApp
     * @description It is checked here first; then WhatsApp is told, and answered for some seconds: 201 when it took the template (its review may take a day), 202 when it has not answered yet, 400 template_refused when it did not take it.
     */
    post: {
      parameters: {
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
            tenant_id?: string;
            /** @description The WhatsApp Business Account. */
            account_id?: string;
            /** @description Instead of account_id: a sender of it, by own or external id. Neither: the default sender. */
            sender_id?: string;
            /** @description Small letters, digits and _. */
            name: string;
            /** @description Like en, en_US or pt_BR. */
            language: string;
            /** @enum {string} */
            category: "utility" | "authentication" | "marketing";
            /**
             * @description POSITIONAL if absent: {{1}}. NAMED: {{first_name}}.
             * @enum {string}
             */
            parameter_format?: "POSITIONAL" | "NAMED";
            /** @description As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER. */
            components: {
              [key: string]: unknown;
            }[];
            /** @description Whether WhatsApp may give it another category instead of rejecting it. */
            allow_category_change?: boolean;
            /** @description How long WhatsApp tries to deliver, in seconds; -1: 30 days. */
            message_send_ttl_seconds?: number;
          };
        };
      };
      responses: {
        /** @description A message template, as WhatsApp has it. */
        201: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
        /** @description A message template, as WhatsApp has it. */
        202: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
      };
    };
  };
  "/api/v1/templates/{id}": {
    /** A template */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A message template, as WhatsApp has it. */
        200: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
      };
    };
    /**
     * Delete a template
     * @description In this language only. WhatsApp keeps the name of an approved one blocked for 30 days.
     */
    delete: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
        202: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Edit a template
     * @description Components are replaced as a whole. WhatsApp lets approved, rejected and paused ones be edited; an approved one keeps its category, and can be edited once a day and ten times in 30 days. It is reviewed anew.
     */
    patch: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @enum {string} */
            category?: "utility" | "authentication" | "marketing";
            /** @description As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER. */
            components?: {
              [key: string]: unknown;
            }[];
            /** @description How long WhatsApp tries to deliver, in seconds; -1: 30 days. */
            message_send_ttl_seconds?: number;
          };
        };
      };
      responses: {
        /** @description A message template, as WhatsApp has it. */
        200: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
        /** @description A message template, as WhatsApp has it. */
        202: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
      };
    };
  };
  "/api/v1/templates/{id}/unpause": {
    /**
     * Ask WhatsApp to end the pause of a template
     * @description Messages that wait for it leave when WhatsApp says that it is sent again.
     */
    post: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A message template, as WhatsApp has it. */
        200: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
        /** @description A message template, as WhatsApp has it. */
        202: {
          content: {
            "application/json": components["schemas"]["Template"];
          };
        };
      };
    };
  };
  "/api/v1/templates/sync": {
    /** Read the templates of an account from WhatsApp now */
    post: {
      parameters: {
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
            tenant_id?: string;
            /** @description The WhatsApp Business Account. */
            account_id?: string;
            /** @description Instead of account_id: a sender of it, by own or external id. Neither: the default sender. */
            sender_id?: string;
          };
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["TemplateSync"];
          };
        };
      };
    };
  };
  "/api/v1/templates/{id}/preview": {
    /** What a customer will see of a template */
    post: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description As in a message: what a send gives the template. Checked as a send is. */
            components?: {
              [key: string]: unknown;
            }[];
            /** @description Values by name: 1, 2, … of the body or the names of a NAMED template; header.NAME for the header alone, button.INDEX for a button. What has none shows its example. */
            variables?: {
              [key: string]: string | number;
            };
          };
        };
      };
      responses: {
        /** @description What the customer will see. */
        200: {
          content: {
            "application/json": components["schemas"]["TemplatePreview"];
          };
        };
      };
    };
  };
  "/api/v1/templates/preview": {
    /** What a customer would see of a template that is not made yet */
    post: {
      requestBody: {
        content: {
          "application/json": {
            definition: {
              /** @enum {string} */
              category: "utility" | "authentication" | "marketing";
              /**
               * @description POSITIONAL if absent: {{1}}. NAMED: {{first_name}}.
               * @enum {string}
               */
              parameter_format?: "POSITIONAL" | "NAMED";
              /** @description As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER. */
              components: {
                [key: string]: unknown;
              }[];
            };
            /** @description As in a message: what a send gives the template. Checked as a send is. */
            components?: {
              [key: string]: unknown;
            }[];
            /** @description Values by name: 1, 2, … of the body or the names of a NAMED template; header.NAME for the header alone, button.INDEX for a button. What has none shows its example. */
            variables?: {
              [key: string]: string | number;
            };
          };
        };
      };
      responses: {
        /** @description What the customer will see. */
        200: {
          content: {
            "application/json": components["schemas"]["TemplatePreview"];
          };
        };
      };
    };
  };
  "/api/v1/api-keys": {
    /** List keys, revoked ones too, the newest first */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ApiKeyList"];
          };
        };
      };
    };
    /**
     * Make a key
     * @description Without scopes: messages:write, messages:read and events:read. The key is told in this answer only.
     */
    post: {
      parameters: {
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
            tenant_id?: string;
            /** @description What it is for, for people. */
            name: string;
            /** @description What it may do. admin: everything, for every tenant. */
            scopes?: ("messages:write" | "messages:read" | "events:read" | "metrics:read" | "accounts:write" | "accounts:read" | "templates:write" | "templates:read" | "media:write" | "media:read" | "contacts:write" | "contacts:read" | "exports:write" | "conversations:write" | "conversations:read" | "webhooks:write" | "webhooks:read" | "act_as" | "admin")[];
            /**
             * @description How its holder speaks unless a request says otherwise.
             * @enum {string}
             */
            dialect?: "aldis" | "queue";
            /**
             * Format: date-time
             * @description From then on it is refused.
             */
            expires_at?: string | null;
          };
        };
      };
      responses: {
        201: {
          content: {
            "application/json": components["schemas"]["NewApiKey"];
          };
        };
      };
    };
  };
  "/api/v1/api-keys/{id}": {
    /** A key */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A key, without itself: only its hash is kept. */
        200: {
          content: {
            "application/json": components["schemas"]["ApiKey"];
          };
        };
      };
    };
    /**
     * Revoke a key for good
     * @description Requests that have begun go on; later ones are 401, on other instances within 5 s. Doing it again changes nothing.
     */
    delete: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A key, without itself: only its hash is kept. */
        200: {
          content: {
            "application/json": components["schemas"]["ApiKey"];
          };
        };
      };
    };
    /**
     * Change a key
     * @description What is absent stays. Another instance knows of it within 5 s.
     */
    patch: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description What it is for, for people. */
            name?: string;
            /** @description What it may do. admin: everything, for every tenant. */
            scopes?: ("messages:write" | "messages:read" | "events:read" | "metrics:read" | "accounts:write" | "accounts:read" | "templates:write" | "templates:read" | "media:write" | "media:read" | "contacts:write" | "contacts:read" | "exports:write" | "conversations:write" | "conversations:read" | "webhooks:write" | "webhooks:read" | "act_as" | "admin")[];
            /**
             * @description How its holder speaks unless a request says otherwise.
             * @enum {string}
             */
            dialect?: "aldis" | "queue";
            /**
             * Format: date-time
             * @description From then on it is refused.
             */
            expires_at?: string | null;
          };
        };
      };
      responses: {
        /** @description A key, without itself: only its hash is kept. */
        200: {
          content: {
            "application/json": components["schemas"]["ApiKey"];
          };
        };
      };
    };
  };
  "/api/v1/tickets": {
    /**
     * A one-time ticket to open a socket with
     * @description For browsers, which cannot set headers on a WebSocket. It counts once, within half a minute. The socket speaks for whoever asked: the user of the token, the user whom X-User-ID names beside a key with act_as, or the key itself. It may at most what a socket needs, and ends when the token or the key does.
     */
    post: {
      responses: {
        201: {
          content: {
            "application/json": components["schemas"]["Ticket"];
          };
        };
      };
    };
  };
  "/api/v1/users/{id}/presence": {
    /**
     * Whether a user is there
     * @description A user may ask of those whom he shares a conversation with, and of himself; software of all. Changes come by the WebSocket: see `subscribe` in docs/websocket.md.
     */
    get: {
      parameters: {
        path: {
          /** @description The id of the user, as the outer system has it. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Presence"];
          };
        };
      };
    };
  };
  "/api/v1/accounts": {
    /** List accounts */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["AccountList"];
          };
        };
      };
    };
    /**
     * Add a WhatsApp Business Account by a token
     * @description Its numbers become senders, unless add_numbers is false. It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.
     */
    post: {
      parameters: {
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
            tenant_id?: string;
            /** @description The id of the WhatsApp Business Account. */
            id: string;
            /** @description The token that reads and manages the account, and sends from its numbers. Kept encrypted; never told again. */
            access_token: string;
            /** @description The app whose webhooks tell of it. `default` if absent. */
            app?: string;
            /** @description Its business portfolio. Absent: WhatsApp says. */
            portfolio_id?: string;
            /** @description Whether each of its numbers becomes a sender. false: only those that somebody makes. */
            add_numbers?: boolean;
            /** @description Whether its webhooks are to come to its app. WhatsApp is told. */
            subscribe?: boolean;
          };
        };
      };
      responses: {
        /** @description A WhatsApp Business Account, without its token. */
        202: {
          content: {
            "application/json": components["schemas"]["Account"];
          };
        };
      };
    };
  };
  "/api/v1/accounts/{id}": {
    /** An account */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A WhatsApp Business Account, without its token. */
        200: {
          content: {
            "application/json": components["schemas"]["Account"];
          };
        };
      };
    };
    /** Delete an account whose senders have never sent or received, with them */
    delete: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Change an account
     * @description A new access_token goes to all its senders, and messages that waited for one go on. It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.
     */
    patch: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The token that reads and manages the account, and sends from its numbers. Kept encrypted; never told again. */
            access_token?: string;
            /** @description Whether each of its numbers becomes a sender. false: only those that somebody makes. */
            add_numbers?: boolean;
            /** @description Whether its webhooks are to come to its app. WhatsApp is told. */
            subscribe?: boolean;
          };
        };
      };
      responses: {
        /** @description A WhatsApp Business Account, without its token. */
        200: {
          content: {
            "application/json": components["schemas"]["Account"];
          };
        };
      };
    };
  };
  "/api/v1/accounts/{id}/sync": {
    /**
     * Read an account from WhatsApp
     * @description It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.
     */
    post: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A WhatsApp Business Account, without its token. */
        202: {
          content: {
            "application/json": components["schemas"]["Account"];
          };
        };
      };
    };
  };
  "/api/v1/accounts/{id}/alerts": {
    /** What WhatsApp told of an account and nobody asked for, the newest first */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["AccountAlertList"];
          };
        };
      };
    };
  };
  "/api/v1/accounts/{id}/subscribed_apps": {
    /** Whether webhooks of an account come to its app */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Whether webhooks of an account come to its app. */
        200: {
          content: {
            "application/json": components["schemas"]["AccountSubscription"];
          };
        };
      };
    };
    /**
     * Let webhooks of an account come to its app
     * @description It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.
     */
    post: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Whether webhooks of an account come to its app. */
        202: {
          content: {
            "application/json": components["schemas"]["AccountSubscription"];
          };
        };
      };
    };
    /**
     * Let webhooks of an account come no more
     * @description It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.
     */
    delete: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Whether webhooks of an account come to its app. */
        202: {
          content: {
            "application/json": components["schemas"]["AccountSubscription"];
          };
        };
      };
    };
  };
  "/api/v1/apps": {
    /** List apps */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["AppList"];
          };
        };
      };
    };
    /** Make a Meta app */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /** @description What it is called here: its webhooks come to /webhooks/whatsapp/{id}. */
            id: string;
            /** @description The app's secret, which signs webhooks. Kept encrypted; never told again. */
            app_secret: string;
            /** @description The word that Meta repeats when it asks whether the address is yours. Kept as the secret is. */
            verify_token: string;
            /** @description Meta's id of the app. With it the app can be asked until when tokens are good. */
            meta_app_id?: string | null;
          };
        };
      };
      responses: {
        /** @description A Meta app, without its secrets. */
        201: {
          content: {
            "application/json": components["schemas"]["App"];
          };
        };
      };
    };
  };
  "/api/v1/apps/{id}": {
    /** An app */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A Meta app, without its secrets. */
        200: {
          content: {
            "application/json": components["schemas"]["App"];
          };
        };
      };
    };
    /** Delete an app that no account and no sender is of */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Change an app
     * @description Give the new secret here first, then change it at Meta: while both are believed, no webhook is refused.
     */
    patch: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The app's secret, which signs webhooks. Kept encrypted; never told again. */
            app_secret?: string;
            /** @description The word that Meta repeats when it asks whether the address is yours. Kept as the secret is. */
            verify_token?: string;
            /** @description Meta's id of the app. With it the app can be asked until when tokens are good. */
            meta_app_id?: string | null;
            /** @description With a new secret: seconds in which the one before is believed as well. 3600 if absent. */
            overlap?: number;
          };
        };
      };
      responses: {
        /** @description A Meta app, without its secrets. */
        200: {
          content: {
            "application/json": components["schemas"]["App"];
          };
        };
      };
    };
  };
  "/api/v1/secrets/rotate": {
    /**
     * Seal every stored secret with the newest encryption key
     * @description Give the new key beside the old one in secrets.encryption_keys on every instance first. When `failed` is 0, the old one can be taken out.
     */
    post: {
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Resealed"];
          };
        };
      };
    };
  };
  "/api/v1/contacts": {
    /**
     * List contacts, the newest first
     * @description Filters hold together. For one page at most 5,000 contacts are looked at: a page may be short, and even empty, and still have a next one.
     */
    get: {
      parameters: {
        query?: {
          /** @description E.164 with +. */
          phone?: string;
          /** @description A business-scoped user id. */
          user_id?: string;
          /** @description Your own id. */
          external_id?: string;
          /** @description What the name begins with, whatever the case. */
          name?: string;
          marketing_consent?: "in" | "out";
          contact_consent?: "in" | "out";
          /** @description NAME:VALUE, an attribute that is exactly so: city:Jakarta. */
          attribute?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ContactList"];
          };
        };
      };
    };
    /**
     * Make a contact, or find the one that is there
     * @description Give phone, user_id or external_id. 201: it was made. 200: it was there; what it did not have yet is added, and what it had stays.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /** @description E.164 with +. */
            phone?: string;
            /** @description A business-scoped user id. */
            user_id?: string;
            /** @description Your own id of him, which finds him as well as ours does. */
            external_id?: string | null;
            name?: string | null;
            /** @description Like id, en_US or pt-BR. */
            language?: string | null;
            /** @description Names and values of your own: at most 100, and 4,096 bytes as JSON. */
            attributes?: {
              [key: string]: unknown;
            };
          };
        };
      };
      responses: {
        /** @description Somebody to talk to, with all names he is known by. */
        200: {
          content: {
            "application/json": components["schemas"]["Contact"];
          };
        };
        /** @description Somebody to talk to, with all names he is known by. */
        201: {
          content: {
            "application/json": components["schemas"]["Contact"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/find": {
    /** The contact of a phone number or user id */
    get: {
      parameters: {
        query?: {
          /** @description E.164 with +. */
          phone?: string;
          /** @description A business-scoped user id. */
          user_id?: string;
          /** @description Your own id. */
          external_id?: string;
        };
      };
      responses: {
        /** @description Somebody to talk to, with all names he is known by. */
        200: {
          content: {
            "application/json": components["schemas"]["Contact"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}": {
    /** A contact, by own or external id */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Somebody to talk to, with all names he is known by. */
        200: {
          content: {
            "application/json": components["schemas"]["Contact"];
          };
        };
      };
    };
    /**
     * Change a contact
     * @description What is absent stays; null takes away.
     */
    patch: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description Your own id of him, which finds him as well as ours does. */
            external_id?: string | null;
            name?: string | null;
            /** @description Like id, en_US or pt-BR. */
            language?: string | null;
            /** @description Merged with what is there; null takes one away. */
            attributes?: {
              [key: string]: unknown;
            };
          };
        };
      };
      responses: {
        /** @description Somebody to talk to, with all names he is known by. */
        200: {
          content: {
            "application/json": components["schemas"]["Contact"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}/conversations": {
    /** A contact's conversations, one a sender */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ContactConversationList"];
          };
        };
      };
    };
  };
  "/api/v1/exports": {
    /** List exports, the newest first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ExportList"];
          };
        };
      };
    };
    /**
     * Write a list to a file
     * @description Messages or contacts, the newest first, with the filters of their list: what is there when it is asked for. It is written in the background. A record is as the API shows it; in CSV it has a column for each field, JSON stands there as text, and a text that a spreadsheet would take for a formula gets an apostrophe before it, phone numbers too. At most 3 are written at a time, and 100 kept. Needs exports:write and the scope that reads the list.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description Which list.
             * @enum {string}
             */
            kind: "messages" | "contacts";
            /**
             * @description csv, or jsonl: a JSON object a line.
             * @enum {string}
             */
            format: "csv" | "jsonl";
            /** @description The filters of the kind's list. Absent: all of it. */
            filter?: {
              /** @description E.164 with +. */
              phone?: string;
              /** @description A business-scoped user id. */
              user_id?: string;
              /** @description Your own id. */
              external_id?: string;
              /** @description What the name begins with, whatever the case. */
              name?: string;
              /** @enum {string} */
              marketing_consent?: "in" | "out";
              /** @enum {string} */
              contact_consent?: "in" | "out";
              /** @description NAME:VALUE, an attribute that is exactly so: city:Jakarta. */
              attribute?: string;
              /** @description Own or external id. */
              sender_id?: string;
              /** @description Own or external id. */
              contact_id?: string;
              /** @description Own or external id. */
              conversation_id?: string;
              /** @description The id of a batch. */
              batch_id?: string;
              /** @enum {string} */
              direction?: "inbound" | "outbound";
              type?: string;
              /**
               * @description The documented word for the state.
               * @enum {string}
               */
              status?: "queued" | "sent" | "delivered" | "read" | "failed";
              /**
               * @description The true state, instead of status. scheduled: queued, for a time that is to come.
               * @enum {string}
               */
              state?: "scheduled" | "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
              /** @description Failed for this: `outcome_unknown`. */
              error?: string;
              /** @description Failed with this code of the provider's; 0: none. */
              error_code?: number;
              /** @description created_at from here on: a day, or a time with a zone. */
              start_date?: string;
              /** @description created_at up to here: a day, whole, or a time with a zone. */
              end_date?: string;
            };
            /**
             * @description Whether a CSV file begins with a byte order mark, by which some spreadsheets know UTF-8.
             * @default false
             */
            bom?: boolean;
          };
        };
      };
      responses: {
        /** @description A list that is written to a file, or was. */
        202: {
          content: {
            "application/json": components["schemas"]["Export"];
          };
        };
      };
    };
  };
  "/api/v1/exports/{id}": {
    /** An export, and how far it is */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A list that is written to a file, or was. */
        200: {
          content: {
            "application/json": components["schemas"]["Export"];
          };
        };
      };
    };
    /** Delete an export that has ended, with its file */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
  };
  "/api/v1/exports/{id}/cancel": {
    /**
     * Stop writing an export
     * @description What is written of it is removed.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A list that is written to a file, or was. */
        200: {
          content: {
            "application/json": components["schemas"]["Export"];
          };
        };
      };
    };
  };
  "/api/v1/exports/{id}/download": {
    /**
     * The file of a complete export
     * @description As an attachment, with its length. A range is answered with 206, so that a download can go on.
     */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description The whole file. */
        200: {
          content: {
            "text/csv": string;
            "application/x-ndjson": string;
          };
        };
        /** @description The range that was asked for. */
        206: {
          content: {
            "text/csv": string;
            "application/x-ndjson": string;
          };
        };
      };
    };
  };
  "/api/v1/dead-letters": {
    /**
     * Failed messages by reason
     * @description The most frequent reason first. `GET /api/v1/messages` with `error` and `error_code` lists the messages of a reason; `POST /api/v1/dead-letters/redrive` sends them again.
     */
    get: {
      parameters: {
        query?: {
          /** @description The word in the error of the message: `outcome_unknown`. */
          error?: string;
          /** @description The provider's code; 0: none of the provider's. */
          error_code?: number;
          /** @description Own or external id. */
          sender_id?: string;
          /** @description The id of a batch. */
          batch_id?: string;
          /** @description Failed from here on: a day, or a time with a zone. */
          since?: string;
          /** @description Failed up to here: a day, whole, or a time with a zone. */
          until?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["DeadLetterList"];
          };
        };
      };
    };
  };
  "/api/v1/dead-letters/redrive": {
    /**
     * Send failed messages again
     * @description Those that match and failed before now, in the order in which they were accepted, at the pace asked for; in the background. Each is due once. Left failed are those that may have arrived (unless they are asked for), whose time is over, whose recipient has opted out, or for which a limit has no place. What fails again is not taken again. At most 3 run at a time.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /** @description Which failed messages, as in the list of reasons; {}: all of them. */
            filter: {
              /** @description The word in the error of the message: `outcome_unknown`. */
              error?: string;
              /** @description The provider's code; 0: none of the provider's. */
              error_code?: number;
              /** @description Own or external id. */
              sender_id?: string;
              /** @description The id of a batch. */
              batch_id?: string;
              /** @description Failed from here on: a day, or a time with a zone. */
              since?: string;
              /** @description Failed up to here: a day, whole, or a time with a zone. */
              until?: string;
            };
            /**
             * @description How many messages are due again each second, at most.
             * @default 10
             */
            per_second?: number;
            /**
             * @description Also those that may have arrived: a customer may get them twice.
             * @default false
             */
            include_uncertain?: boolean;
          };
        };
      };
      responses: {
        /** @description Failed messages that are sent again, at a pace. */
        202: {
          content: {
            "application/json": components["schemas"]["Redrive"];
          };
        };
      };
    };
  };
  "/api/v1/redrives": {
    /**
     * List redrives, the newest first
     * @description They are forgotten 90 days after their end.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["RedriveList"];
          };
        };
      };
    };
  };
  "/api/v1/redrives/{id}": {
    /** A redrive, and how far it is */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Failed messages that are sent again, at a pace. */
        200: {
          content: {
            "application/json": components["schemas"]["Redrive"];
          };
        };
      };
    };
    /**
     * Stop a redrive
     * @description What is due again by then stays due.
     */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description Failed messages that are sent again, at a pace. */
        200: {
          content: {
            "application/json": components["schemas"]["Redrive"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}/consent": {
    /**
     * Keep what a contact said of being written to
     * @description Of each scope the latest word holds. Messages that wait and are refused now fail with recipient_suppressed.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /**
             * @description marketing: marketing messages. all: every message.
             * @enum {string}
             */
            scope: "marketing" | "all";
            /**
             * @description in: agrees. out: refuses, and what waits for him is stopped.
             * @enum {string}
             */
            state: "in" | "out";
            /**
             * @description api if absent.
             * @enum {string}
             */
            source?: "api" | "import";
            /** @description Where he said so, or how. */
            detail?: string;
            /**
             * Format: date-time
             * @description When he said so. Now, if absent; what was said later holds.
             */
            at?: string;
          };
        };
      };
      responses: {
        /** @description What holds now. */
        201: {
          content: {
            "application/json": components["schemas"]["GivenConsent"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}/consents": {
    /** What a contact said of being written to, the last written first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["ConsentList"];
          };
        };
      };
    };
  };
  "/api/v1/consents": {
    /**
     * Keep what the holder of a phone number or user id said
     * @description Give phone or user_id. Whom nobody knows becomes a contact.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /** @description E.164 with +. */
            phone?: string;
            /** @description A business-scoped user id. */
            user_id?: string;
            /**
             * @description marketing: marketing messages. all: every message.
             * @enum {string}
             */
            scope: "marketing" | "all";
            /**
             * @description in: agrees. out: refuses, and what waits for him is stopped.
             * @enum {string}
             */
            state: "in" | "out";
            /**
             * @description api if absent.
             * @enum {string}
             */
            source?: "api" | "import";
            /** @description Where he said so, or how. */
            detail?: string;
            /**
             * Format: date-time
             * @description When he said so. Now, if absent; what was said later holds.
             */
            at?: string;
          };
        };
      };
      responses: {
        /** @description What holds now. */
        201: {
          content: {
            "application/json": components["schemas"]["GivenConsent"];
          };
        };
      };
    };
  };
  "/api/v1/consents/batch": {
    /**
     * Keep what up to 10,000 people said: a list of those who opted out, say
     * @description Each is taken or refused on its own; refusals name the place in the request.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            consents: unknown[];
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["GivenConsents"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}/block": {
    /**
     * Block a contact at a sender
     * @description He can write to that number no more, and WhatsApp refuses messages to him. WhatsApp only blocks who wrote within 24 hours. It is told in the background.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The sender. Absent: the one he last wrote to, else the default one. */
            sender_id?: string;
          } | null;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["BlockedUser"];
          };
        };
      };
    };
  };
  "/api/v1/contacts/{id}/unblock": {
    /** Let a contact write to a sender again */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description The sender. Absent: the one he last wrote to, else the default one. */
            sender_id?: string;
          } | null;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["BlockedUser"];
          };
        };
      };
    };
  };
  "/api/v1/blocked-users": {
    /** Whom a sender blocks, the newest contacts first */
    get: {
      parameters: {
        query: {
          /** @description The sender, by own or external id. */
          sender_id: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["BlockedUserList"];
          };
        };
      };
    };
  };
  "/api/v1/pauses": {
    /**
     * Queues that stand still, the newest first
     * @description A tenant's own and those that hold one of its senders. An operator's key sees all, or with tenant_id those of a tenant.
     */
    get: {
      parameters: {
        query?: {
          /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
          tenant_id?: string;
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        header?: {
          /** @description The same as tenant_id. */
          "x-tenant-id"?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["PauseList"];
          };
        };
      };
    };
  };
  "/api/v1/pauses/{id}": {
    /**
     * Let a queue go on
     * @description What waits in it goes at once. If the trouble lasts, the next answer shuts it again. One that is not the tenant's alone is ended by an operator.
     */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks": {
    /** List webhook endpoints, the newest first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookEndpointList"];
          };
        };
      };
    };
    /**
     * Have events posted to an address
     * @description From now on. Signed as the Standard Webhooks specification says; the secret is in this answer and never shown again. Any 2xx is delivered. Else it is tried 11 times in three days: after 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h, 12 h, 24 h and 24 h. At most 20 of a tenant.
     */
    post: {
      requestBody: {
        content: {
          "application/json": {
            /** @description Where events are posted: http or https, at a public address, at most 2048 characters. Redirects are not followed. */
            url: string;
            description?: string | null;
            /** @description Nothing is posted to one that is not; what happens meanwhile can be replayed. */
            enabled?: boolean;
            /** @description Which events; null or absent: all that there are and will be. */
            event_types?: string[] | null;
            /** @description Only events about these senders. */
            sender_ids?: string[] | null;
            /** @description Only events of these conversations. */
            conversation_ids?: string[] | null;
            /** @description Whether the next event of a conversation waits until the one before is delivered, or has failed. Holds for what happens from then on. */
            ordered?: boolean;
          };
        };
      };
      responses: {
        201: {
          content: {
            "application/json": components["schemas"]["WebhookEndpointWithSecret"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}": {
    /** A webhook endpoint */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookEndpoint"];
          };
        };
      };
    };
    /**
     * Delete a webhook endpoint
     * @description What was to be posted there is not posted any more.
     */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
    /**
     * Change a webhook endpoint
     * @description What is absent stays.
     */
    patch: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** @description Where events are posted: http or https, at a public address, at most 2048 characters. Redirects are not followed. */
            url?: string;
            description?: string | null;
            /** @description Nothing is posted to one that is not; what happens meanwhile can be replayed. */
            enabled?: boolean;
            /** @description Which events; null or absent: all that there are and will be. */
            event_types?: string[] | null;
            /** @description Only events about these senders. */
            sender_ids?: string[] | null;
            /** @description Only events of these conversations. */
            conversation_ids?: string[] | null;
            /** @description Whether the next event of a conversation waits until the one before is delivered, or has failed. Holds for what happens from then on. */
            ordered?: boolean;
          };
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookEndpoint"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/rotate-secret": {
    /**
     * Give a webhook endpoint a new secret
     * @description For 24 hours the old one signs as well: each delivery has two signatures.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookEndpointWithSecret"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/enable": {
    /**
     * Enable a webhook endpoint again
     * @description What was still to be posted goes on. What happened meanwhile can be replayed.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookEndpoint"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/test": {
    /**
     * Post a test event
     * @description An event of the type webhook.test, whatever the filter says. What came of it is told by the delivery.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["WebhookDelivery"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/deliveries": {
    /**
     * List deliveries, the newest first
     * @description A page looks through a bounded number of them, so it may be short and not the last: that has no next_cursor.
     */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
          state?: "pending" | "delivered" | "failed";
          /** @description One type. */
          event_type?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookDeliveryList"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/deliveries/{delivery}": {
    /** A delivery, and what came of each try */
    get: {
      parameters: {
        path: {
          /** @description The endpoint. */
          id: string;
          /** @description The delivery. */
          delivery: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookDeliveryWithAttempts"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/deliveries/{delivery}/replay": {
    /**
     * Post an event once more
     * @description As a delivery of its own under the same webhook-id.
     */
    post: {
      parameters: {
        path: {
          /** @description The endpoint. */
          id: string;
          /** @description The delivery. */
          delivery: string;
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["WebhookDelivery"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/replay": {
    /**
     * Post the events of a time once more
     * @description In the background, never more at once than the endpoint keeps up with; one such at a time for each endpoint. Under the same webhook-ids.
     */
    post: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      requestBody: {
        content: {
          "application/json": {
            /** Format: date-time */
            since: string;
            /**
             * Format: date-time
             * @description Absent: now.
             */
            until?: string;
            /**
             * @description Only deliveries that have failed for good; else all events that the filter lets through, posted before or not.
             * @default false
             */
            only_failed?: boolean;
          };
        };
      };
      responses: {
        202: {
          content: {
            "application/json": components["schemas"]["WebhookReplay"];
          };
        };
      };
    };
  };
  "/api/v1/webhooks/{id}/replays": {
    /** List replays, the newest first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["WebhookReplayList"];
          };
        };
      };
    };
  };
  "/health": {
    /** Alive: 200 while the process lives */
    get: {
      responses: {
        200: {
          content: {
            "application/json": {
              /** @enum {string} */
              status: "healthy" | "degraded";
              service: string;
              version: string;
              environment: string;
              metrics: {
                active_batches: number;
                /** @enum {string} */
                circuit_breaker_state: "closed" | "half_open" | "open";
              };
              /** @description How many queues stand still, by what they are of. See /api/v1/pauses. */
              pauses: {
                country: number;
                sender: number;
                account: number;
                app: number;
                provider: number;
              };
              /**
               * @description While it is away everything works, some of it later, and each instance counts requests for itself.
               * @enum {string}
               */
              redis: "off" | "ok" | "away";
              /**
               * @description `away`: its brokers took nothing from this instance lately. Events wait in the log, and nothing is lost.
               * @enum {string}
               */
              kafka: "off" | "ok" | "away";
            };
          };
        };
      };
    };
  };
  "/ready": {
    /** Ready: 503 when it cannot work */
    get: {
      responses: {
        200: {
          content: {
            "application/json": {
              /** @enum {string} */
              status: "ready" | "not_ready";
              /** @description `ok`, or what is wrong. */
              checks: {
                [key: string]: string;
              };
            };
          };
        };
      };
    };
  };
  "/metrics": {
    /** Metrics in the text format of Prometheus */
    get: {
      responses: {
        200: {
          content: {
            "text/plain": string;
          };
        };
      };
    };
  };
  "/api/v1/media": {
    /** List files, the newest first */
    get: {
      parameters: {
        query?: {
          limit?: number;
          /** @description The next_cursor of the page before. */
          cursor?: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["MediaList"];
          };
        };
      };
    };
    /**
     * Store a file
     * @description Either `multipart/form-data` with one part, `file`, or JSON with the `url` to fetch it from. What it is, its content says: JPEG and PNG up to 5 MB; MP4 and 3GP, AAC, AMR, MP3, M4A and OGG with Opus up to 16 MB; text, PDF, Word, Excel and PowerPoint up to 100 MB; WebP as a sticker, up to 100 KB or, animated, 500 KB. 201: it is new. 200: there was one of the same content, which is told.
     */
    post: {
      requestBody: {
        content: {
          "multipart/form-data": {
            /** Format: binary */
            file: string;
          };
          "application/json": {
            /** @description Where the file is to be fetched from: http or https, at a public address. */
            url: string;
            filename?: string;
          };
        };
      };
      responses: {
        /** @description A file. Each content is there once. */
        200: {
          content: {
            "application/json": components["schemas"]["Media"];
          };
        };
        /** @description A file. Each content is there once. */
        201: {
          content: {
            "application/json": components["schemas"]["Media"];
          };
        };
      };
    };
  };
  "/api/v1/media/{id}": {
    /** A file, with a link to its content */
    get: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        /** @description A file. Each content is there once. */
        200: {
          content: {
            "application/json": components["schemas"]["Media"];
          };
        };
      };
    };
    /** Delete a file that no open message is to send */
    delete: {
      parameters: {
        path: {
          /** @description The id that was given when it was made. */
          id: string;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": components["schemas"]["Deleted"];
          };
        };
      };
    };
  };
  "/processor/start": {
    /** Let the messages of the key's tenant leave (again) */
    post: {
      responses: {
        200: {
          content: {
            "application/json": {
              /** @example message processor started */
              message: string;
            };
          };
        };
      };
    };
  };
  "/processor/stop": {
    /**
     * Let no message of the key's tenant leave, on any instance, until it is started again
     * @description It lasts over restarts. What is under way comes to its end; what is accepted waits.
     */
    post: {
      responses: {
        200: {
          content: {
            "application/json": {
              /** @example message processor stopped */
              message: string;
            };
          };
        };
      };
    };
  };
  "/processor/sent-messages": {
    /**
     * What has left last, by WhatsApp and by webhooks, the newest first
     * @description Among the tenant's 10,000 newest messages. 404 when none of them has left.
     */
    get: {
      parameters: {
        query?: {
          /** @description How many of them. */
          limit?: number;
        };
      };
      responses: {
        200: {
          content: {
            "application/json": {
              id: string;
              /** @description The id that the webhook gave; on WhatsApp, its id of the message. */
              webhookMessageId: string | null;
              phoneNumber: string;
              content: string;
              /** @enum {string} */
              status: "sent";
              /** Format: date-time */
              sentAt: string;
            }[];
          };
        };
      };
    };
  };
}
export interface components {
  schemas: {
    Error: {
      /** @description The code, as docs/errors.md lists them. */
      error: string;
      /** @description The same in capitals. */
      code: string;
      /** @description What happened, for people. */
      message: string;
      details: {
        [key: string]: unknown;
      } | null;
      request_id: string;
    };
    Message: {
      id: string;
      /** @enum {string} */
      direction: "outbound" | "inbound";
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      type: string;
      category: string;
      /** @enum {string} */
      priority: "high" | "normal" | "low";
      sender_id: string;
      contact_id: string;
      conversation_id: string;
      batch_id: string | null;
      whatsapp_message_id: string | null;
      from: string;
      to: string;
      content: {
        [key: string]: unknown;
      } | null;
      template: {
        [key: string]: unknown;
      } | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      reply_to: string | null;
      /** @description Customers' signs to this message, one a person. */
      reactions: {
        /** @description Phone number or business-scoped user id. */
        from: string;
        emoji: string;
        /** Format: date-time */
        at: string;
      }[];
      /** Format: date-time */
      edited_at: string | null;
      /** Format: date-time */
      deleted_at: string | null;
      /**
       * @description Who wrote it, if that was said.
       * @enum {string|null}
       */
      sender_type: "llm" | "agent" | "bot" | "user" | null;
      /** @description The user who wrote it in its conversation, by your own id of him. */
      author_id: string | null;
      /** @description Why it failed. */
      error: {
        /** @description A code of docs/errors.md. */
        error?: string;
        /** @description The provider's code, 0 when the provider said nothing. */
        code?: number;
        title?: string;
        detail?: string | null;
      } | null;
      /** @description How many times it was tried to send. */
      attempt: number;
      /**
       * @description Why it waits although its time has come. template: its template is paused, and it goes when WhatsApp lets the template go. As it is now, so events have none.
       * @enum {string|null}
       */
      held?: "template" | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      scheduled_at: string | null;
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      queued_at: string;
      /** Format: date-time */
      sending_at: string | null;
      /** Format: date-time */
      unconfirmed_at: string | null;
      /** Format: date-time */
      sent_at: string | null;
      /** Format: date-time */
      delivered_at: string | null;
      /** Format: date-time */
      read_at: string | null;
      /** Format: date-time */
      played_at: string | null;
      /** Format: date-time */
      failed_at: string | null;
      /** Format: date-time */
      cancelled_at: string | null;
      /** Format: date-time */
      expired_at: string | null;
    };
    MessageStatus: {
      message_id: string;
      whatsapp_message_id: string | null;
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      /** Format: date-time */
      sent_at: string | null;
      /** Format: date-time */
      delivered_at: string | null;
      /** Format: date-time */
      read_at: string | null;
      /** @description Empty when it has not failed. */
      failure_reason: string;
    };
    HistoryStep: {
      /** Format: date-time */
      at: string;
      /** @enum {string} */
      step: "accepted" | "received" | "attempt" | "postponed" | "evidence" | "decision" | "failure" | "sent" | "delivered" | "read" | "played" | "cancelled" | "expired" | "edited" | "deleted";
      /** @description Which attempt it is about. */
      attempt: number | null;
      /** Format: date-time */
      ended_at: string | null;
      /** @description What came of an attempt: sent, retry, refused, receipt (a receipt settled it), resend or tell (a policy did), open, unconfirmed. */
      outcome: string | null;
      /** @description Who told of it: answer (the call's), receipt, policy (of messages in doubt), request (it was recorded, not sent here). */
      source: string | null;
      /** @description The provider's error code. */
      code: number | null;
      detail: string | null;
    };
    Explanation: {
      message_id: string;
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      /** @description What holds it back now; null: nothing, for it has left or ended. */
      cause: {
        /**
         * @description docs/explain.md lists them.
         * @enum {string}
         */
        code?: "scheduled" | "batch_incomplete" | "template_held" | "tenant_stopped" | "sender_disabled" | "sender_not_connected" | "pace" | "no_owner" | "ahead" | "sending" | "unconfirmed" | "retry_wait" | "order" | "pair_rate" | "messaging_limit" | "marketing_cap" | "quiet_hours" | "country_paused" | "token_invalid" | "permission_missing" | "number_not_ready" | "restricted" | "payment_trouble" | "account_locked" | "country_restricted" | "call_rate" | "maintenance" | "provider_trouble";
        /**
         * Format: date-time
         * @description Null: not known.
         */
        since?: string | null;
        /**
         * Format: date-time
         * @description When it ends by itself, if that is known.
         */
        until?: string | null;
        detail?: string | null;
        /** @description The provider's error code behind it. */
        provider_code?: number | null;
      } | null;
      /** @description Its state and its cause in words. */
      explanation: string;
      /** @description What happens next; null: nothing more. */
      next: {
        /** @enum {string} */
        what?: "attempt" | "probe" | "change" | "answer" | "look" | "resend" | "tell" | "receipt" | "expiry";
        /**
         * Format: date-time
         * @description Null: nobody knows when. Of a turn in a queue it is a guess.
         */
        at?: string | null;
      } | null;
      /** @description What a person can do. */
      advice: string | null;
      /** @description Whether it may have arrived, though nothing has told so. */
      uncertain: boolean;
      /** Format: date-time */
      scheduled_at: string | null;
      /** Format: date-time */
      expires_at: string | null;
      sender_id: string;
      to: string | null;
      /** @description Every attempt, decision, failure and receipt, in order. */
      history: components["schemas"]["HistoryStep"][];
    };
    Accepted: {
      id: string;
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      sender_id: string;
      contact_id: string;
      conversation_id: string;
      to: string;
      type: string;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      scheduled_at: string | null;
      warnings: string[];
    };
    MessageBody: {
      /**
       * @description Whom it is for: E.164 with +, or a business-scoped user id.
       * @example +6281234567890
       */
      recipient_phone?: string;
      /** @description The same by another name; give one of the two. */
      to?: string;
      /** @description The number it leaves from: own or external id. Absent: the tenant's default. */
      sender_id?: string;
      /**
       * @description Absent: what the rest of the message tells.
       * @enum {string}
       */
      type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
      content?: {
        /** @description The text, or the caption of media. {name}s are filled in. */
        text?: string;
        /** @description Of a text: whether its first link is shown as a preview. */
        preview_url?: boolean;
        /** @description An http(s) URL that WhatsApp fetches. */
        media_url?: string;
        /** @description Instead of media_url: a file that is stored here. */
        media_id?: string;
        /** @description Of a document, as the customer sees it. */
        filename?: string;
        /** @description Of an audio: shown as a voice message. OGG with Opus only. */
        voice?: boolean;
        location?: {
          /** @description From -90 to 90. */
          latitude: number;
          /** @description From -180 to 180. */
          longitude: number;
          name?: string;
          address?: string;
        };
        /** @description Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257. */
        contacts?: Record<string, unknown>[];
        reaction?: {
          /** @description The message it is to: our id or the id of WhatsApp. */
          message_id: string;
          /** @description One emoji; an empty one takes the reaction back. */
          emoji: string;
        };
        /** @description As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in. */
        interactive?: Record<string, unknown>;
      };
      /** @description What is sent when present; content is then kept for display. */
      template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      };
      /** @description What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template. */
      fallback_template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      };
      /** @description Values for the {name}s in the text. */
      variables?: {
        [key: string]: string | number;
      };
      /** @description The message it answers: our id or the id of WhatsApp. */
      reply_to?: string;
      /**
       * Format: date-time
       * @description Not before this time; at most a year ahead.
       */
      scheduled_at?: string;
      /**
       * Format: date-time
       * @description Not after this time; less than two years ahead.
       */
      expires_at?: string;
      /** @description Instead of expires_at: for so many seconds from when it may leave. */
      ttl?: number;
      /**
       * @description Absent: normal, and low in a batch.
       * @enum {string}
       */
      priority?: "high" | "normal" | "low";
      /**
       * @description Absent: the template's own if it is known here, else marketing; service without a template.
       * @enum {string}
       */
      category?: "service" | "utility" | "authentication" | "marketing";
      /** @description Yours, at most 4096 bytes; given back. */
      metadata?: Record<string, unknown>;
      /**
       * @description Who wrote it. The conversation service is told; absent: `llm`.
       * @enum {string}
       */
      sender_type?: "llm" | "agent" | "bot" | "user";
    };
    MessageList: {
      messages: components["schemas"]["Message"][];
      /** @description Null at the end. A page may be short, even empty, and have a next one. */
      next_cursor: string | null;
      /** @description With page: how many match. */
      total?: number;
      page?: number;
      limit?: number;
      total_pages?: number;
      /** @description True: counting stopped at 10,000 messages, there may be more. */
      total_capped?: boolean;
    };
    MessageWithHistory: {
      id: string;
      /** @enum {string} */
      direction: "outbound" | "inbound";
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      type: string;
      category: string;
      /** @enum {string} */
      priority: "high" | "normal" | "low";
      sender_id: string;
      contact_id: string;
      conversation_id: string;
      batch_id: string | null;
      whatsapp_message_id: string | null;
      from: string;
      to: string;
      content: {
        [key: string]: unknown;
      } | null;
      template: {
        [key: string]: unknown;
      } | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      reply_to: string | null;
      /** @description Customers' signs to this message, one a person. */
      reactions: {
        /** @description Phone number or business-scoped user id. */
        from: string;
        emoji: string;
        /** Format: date-time */
        at: string;
      }[];
      /** Format: date-time */
      edited_at: string | null;
      /** Format: date-time */
      deleted_at: string | null;
      /**
       * @description Who wrote it, if that was said.
       * @enum {string|null}
       */
      sender_type: "llm" | "agent" | "bot" | "user" | null;
      /** @description The user who wrote it in its conversation, by your own id of him. */
      author_id: string | null;
      /** @description Why it failed. */
      error: {
        /** @description A code of docs/errors.md. */
        error?: string;
        /** @description The provider's code, 0 when the provider said nothing. */
        code?: number;
        title?: string;
        detail?: string | null;
      } | null;
      /** @description How many times it was tried to send. */
      attempt: number;
      /**
       * @description Why it waits although its time has come. template: its template is paused, and it goes when WhatsApp lets the template go. As it is now, so events have none.
       * @enum {string|null}
       */
      held?: "template" | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      scheduled_at: string | null;
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      queued_at: string;
      /** Format: date-time */
      sending_at: string | null;
      /** Format: date-time */
      unconfirmed_at: string | null;
      /** Format: date-time */
      sent_at: string | null;
      /** Format: date-time */
      delivered_at: string | null;
      /** Format: date-time */
      read_at: string | null;
      /** Format: date-time */
      played_at: string | null;
      /** Format: date-time */
      failed_at: string | null;
      /** Format: date-time */
      cancelled_at: string | null;
      /** Format: date-time */
      expired_at: string | null;
      /** @description What happened, in order. */
      history: components["schemas"]["HistoryStep"][];
    };
    SingleMessageBody: {
      /**
       * @description Whom it is for: E.164 with +, or a business-scoped user id.
       * @example +6281234567890
       */
      recipient_phone?: string;
      /** @description The same by another name; give one of the two. */
      to?: string;
      /** @description The number it leaves from: own or external id. Absent: the tenant's default. */
      sender_id?: string;
      /**
       * @description Absent: what the rest of the message tells.
       * @enum {string}
       */
      type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
      /** @description What is sent when present; content is then kept for display. */
      template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      } | null;
      /** @description What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template. */
      fallback_template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      };
      /** @description Values for the {name}s in the text. */
      variables?: {
        [key: string]: string | number;
      };
      /** @description The message it answers: our id or the id of WhatsApp. */
      reply_to?: string | null;
      /**
       * Format: date-time
       * @description Not before this time; at most a year ahead.
       */
      scheduled_at?: string | null;
      /**
       * Format: date-time
       * @description Not after this time; less than two years ahead.
       */
      expires_at?: string | null;
      /** @description Instead of expires_at: for so many seconds from when it may leave. */
      ttl?: number;
      /**
       * @description Absent: normal, and low in a batch.
       * @enum {string}
       */
      priority?: "high" | "normal" | "low";
      /**
       * @description Absent: the template's own if it is known here, else marketing; service without a template.
       * @enum {string}
       */
      category?: "service" | "utility" | "authentication" | "marketing";
      /** @description Yours, at most 4096 bytes; given back. */
      metadata?: Record<string, unknown> | null;
      /**
       * @description Who wrote it. The conversation service is told; absent: `llm`.
       * @enum {string}
       */
      sender_type?: "llm" | "agent" | "bot" | "user";
      /** @description What is said. A string is its text. */
      content?: {
        /** @description The text, or the caption of media. {name}s are filled in. */
        text?: string;
        /** @description Of a text: whether its first link is shown as a preview. */
        preview_url?: boolean;
        /** @description An http(s) URL that WhatsApp fetches. */
        media_url?: string;
        /** @description Instead of media_url: a file that is stored here. */
        media_id?: string;
        /** @description Of a document, as the customer sees it. */
        filename?: string;
        /** @description Of an audio: shown as a voice message. OGG with Opus only. */
        voice?: boolean;
        location?: {
          /** @description From -90 to 90. */
          latitude: number;
          /** @description From -180 to 180. */
          longitude: number;
          name?: string;
          address?: string;
        };
        /** @description Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257. */
        contacts?: Record<string, unknown>[];
        reaction?: {
          /** @description The message it is to: our id or the id of WhatsApp. */
          message_id: string;
          /** @description One emoji; an empty one takes the reaction back. */
          emoji: string;
        };
        /** @description As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in. */
        interactive?: Record<string, unknown>;
      } | string | null;
      /**
       * @description Between users: text, image, video, audio, file, sticker (their `metadata.media_url` says where the file is), location (`metadata.latitude`, `metadata.longitude`), contact, system. To a customer: `type` by another name.
       * @enum {string}
       */
      message_type?: "text" | "image" | "video" | "audio" | "file" | "location" | "sticker" | "contact" | "system" | "template" | "document" | "contacts" | "reaction" | "interactive";
      /** @description Instead of an addressee: the conversation that it answers in, by own or external id. */
      conversation_id?: string;
      /** @description Users who are named in the text of a message between users, or of a note. */
      mentions?: {
        user_id: string;
        /** @description In UTF-16 code units, as JavaScript counts. */
        offset: number;
        length: number;
      }[];
      /** @description In a conversation: the message that it answers. */
      parent_message_id?: string | null;
      /** @description In a conversation with a customer: an internal note, which never reaches him. */
      note?: boolean;
      /** @description Beside conversation_id: the message was sent elsewhere. It is recorded, never sent. */
      whatsapp_message_id?: string;
    };
    StateAnswer: {
      id: string;
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
    };
    MessageTimes: {
      /**
       * Format: date-time
       * @description Not before this time, at most a year ahead. Null: now.
       */
      scheduled_at?: string | null;
      /**
       * Format: date-time
       * @description Not after this time. Null: for as long as `messages.validity` lets it wait.
       */
      expires_at?: string | null;
    };
    /** @description What somebody said, the same here, on sockets and in events. */
    ChatMessage: {
      id: string;
      conversation_id: string;
      /** @description Its place in its conversation, without gaps. Null of a WhatsApp message. */
      seq: number | null;
      /** @description Who wrote it. Null where a customer did, or software without a user. */
      user_id: string | null;
      /** @enum {string} */
      sender_type: "user" | "agent" | "bot" | "llm" | "customer";
      /** @description The text. Null without one, and when it was deleted. */
      content: string | null;
      message_type: string;
      mentions: {
        user_id: string;
        /** @description Where it begins in the text, in UTF-16 code units, as JavaScript counts. */
        offset: number;
        length: number;
      }[];
      /** @description The message that it answers. */
      parent_message_id: string | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      /** @description An internal note: it never reaches the customer. */
      note: boolean;
      reactions: {
        /** @description The user; of a customer's reaction his phone number or business-scoped user id. */
        user_id: string;
        emoji: string;
        /** Format: date-time */
        at: string;
      }[];
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      edited_at: string | null;
      /** Format: date-time */
      deleted_at: string | null;
      /** @description Of a WhatsApp message: its state. */
      state?: string;
    };
    Participant: {
      user_id: string;
      /** @enum {string} */
      role: "owner" | "admin" | "member";
      can_send_messages: boolean;
      /** Format: date-time */
      joined_at: string;
    };
    Conversation: {
      id: string;
      /** @enum {string} */
      type: "customer" | "direct" | "group";
      title: string | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      /** @description Of one with a customer: the number that messages leave from. */
      sender_id: string | null;
      /** @description The customer. */
      contact_id: string | null;
      external_id: string | null;
      /** @description The user, if it was one. */
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /**
       * Format: date-time
       * @description Nobody writes there until it is opened again. Null: it is open.
       */
      closed_at: string | null;
      /** @description After how many days what was said is removed; null: the tenant's rule. */
      retention_days: number | null;
      /** @description The longest in it first. */
      participants: components["schemas"]["Participant"][];
    };
    ConversationRecord: {
      id: string;
      /** @enum {string} */
      type: "customer" | "direct" | "group";
      title: string | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      /** @description Of one with a customer: the number that messages leave from. */
      sender_id: string | null;
      /** @description The customer. */
      contact_id: string | null;
      external_id: string | null;
      /** @description The user, if it was one. */
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /**
       * Format: date-time
       * @description Nobody writes there until it is opened again. Null: it is open.
       */
      closed_at: string | null;
      /** @description After how many days what was said is removed; null: the tenant's rule. */
      retention_days: number | null;
    };
    ListedConversation: {
      id: string;
      /** @enum {string} */
      type: "customer" | "direct" | "group";
      title: string | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      /** @description Of one with a customer: the number that messages leave from. */
      sender_id: string | null;
      /** @description The customer. */
      contact_id: string | null;
      external_id: string | null;
      /** @description The user, if it was one. */
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /**
       * Format: date-time
       * @description Nobody writes there until it is opened again. Null: it is open.
       */
      closed_at: string | null;
      /** @description After how many days what was said is removed; null: the tenant's rule. */
      retention_days: number | null;
      /** @description What was said last. */
      last_message: components["schemas"]["ChatMessage"] | null;
      /**
       * Format: date-time
       * @description When somebody last said something there. Campaigns do not count.
       */
      last_message_at: string | null;
      /** @description What the user has not read; with a customer also what nobody has read of him. */
      unread_count: number;
      participant_count: number;
      /**
       * @description The user's own. Null: software asks.
       * @enum {string|null}
       */
      role: "owner" | "admin" | "member" | null;
    };
    ConversationSeen: {
      id: string;
      /** @enum {string} */
      type: "customer" | "direct" | "group";
      title: string | null;
      metadata: {
        [key: string]: unknown;
      } | null;
      /** @description Of one with a customer: the number that messages leave from. */
      sender_id: string | null;
      /** @description The customer. */
      contact_id: string | null;
      external_id: string | null;
      /** @description The user, if it was one. */
      created_by: string | null;
      /** Format: date-time */
      created_at: string;
      /**
       * Format: date-time
       * @description Nobody writes there until it is opened again. Null: it is open.
       */
      closed_at: string | null;
      /** @description After how many days what was said is removed; null: the tenant's rule. */
      retention_days: number | null;
      /** @description What was said last. */
      last_message: components["schemas"]["ChatMessage"] | null;
      /**
       * Format: date-time
       * @description When somebody last said something there. Campaigns do not count.
       */
      last_message_at: string | null;
      /** @description What the user has not read; with a customer also what nobody has read of him. */
      unread_count: number;
      participant_count: number;
      /**
       * @description The user's own. Null: software asks.
       * @enum {string|null}
       */
      role: "owner" | "admin" | "member" | null;
      /** @description The longest in it first. */
      participants: components["schemas"]["Participant"][];
    };
    ConversationBody: {
      /**
       * @description direct: two users. group: up to 1,024. customer: users with a customer on WhatsApp.
       * @enum {string}
       */
      type: "customer" | "direct" | "group";
      /** @description The user who asks need not be named. */
      participants?: {
        /** @description Your own id of the user; he needs no registration. */
        user_id: string;
        /**
         * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
         * @enum {string}
         */
        role?: "owner" | "admin" | "member";
        /** @description Absent: true. */
        can_send_messages?: boolean;
      }[];
      /** @description 1 to 200 characters. */
      title?: string | null;
      /** @description Yours, at most 16,384 bytes; given back. */
      metadata?: Record<string, unknown> | null;
      /** @description What you call it: it is found by this as well. */
      external_id?: string | null;
      /** @description After how many days what was said is removed. Null: the tenant's rule. */
      retention_days?: number | null;
      /** @description With a customer: his phone number or business-scoped user id, or contact_id. */
      to?: string;
      /** @description With a customer: the contact, by own or external id. */
      contact_id?: string | null;
      /** @description With a customer: the number; own or external id. Absent: the tenant's default. */
      sender_id?: string | null;
    };
    ConversationChange: {
      /** @description 1 to 200 characters. */
      title?: string | null;
      /** @description Yours, at most 16,384 bytes; given back. */
      metadata?: Record<string, unknown> | null;
      /** @description After how many days what was said is removed. Null: the tenant's rule. */
      retention_days?: number | null;
      /** @description true: nobody writes there until it is opened. false: opened. */
      closed?: boolean;
    };
    ConversationList: {
      conversations: components["schemas"]["ListedConversation"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    ParticipantsBody: {
      participants: {
        /** @description Your own id of the user; he needs no registration. */
        user_id: string;
        /**
         * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
         * @enum {string}
         */
        role?: "owner" | "admin" | "member";
        /** @description Absent: true. */
        can_send_messages?: boolean;
      }[];
    };
    ParticipantChange: {
      /**
       * @description Absent: member; of whoever makes the conversation, owner, but in a direct one.
       * @enum {string}
       */
      role?: "owner" | "admin" | "member";
      /** @description Absent: true. */
      can_send_messages?: boolean;
    };
    ParticipantList: {
      participants: components["schemas"]["Participant"][];
    };
    Left: {
      conversation_id: string;
      user_id: string;
      left: boolean;
    };
    SaidList: {
      messages: components["schemas"]["ChatMessage"][];
      /** @description The before_id of the next page; of a page by after_id, and of the first one of answers, its after_id. Null at the end. */
      next_cursor: string | null;
    };
    TypingBody: {
      /** @description false: he has stopped. It ends by itself after 6 seconds too. */
      is_typing: boolean;
    };
    TypingAnswer: {
      conversation_id: string;
      is_typing: boolean;
    };
    EditBody: {
      /** @description What it says from now on; at most 4096 characters. */
      content: string;
      /** @description Users who are named in the text of a message between users, or of a note. */
      mentions?: {
        user_id: string;
        /** @description In UTF-16 code units, as JavaScript counts. */
        offset: number;
        length: number;
      }[];
    };
    ReactionBody: {
      /** @description One emoji; it takes the place of your last one. An empty one takes it back. */
      emoji: string;
    };
    /** @description What a message said before it was edited. */
    ChatEdit: {
      /** @description From 1: the first edit replaced this. */
      edit: number;
      content: string | null;
      mentions: {
        user_id: string;
        /** @description Where it begins in the text, in UTF-16 code units, as JavaScript counts. */
        offset: number;
        length: number;
      }[];
      /**
       * Format: date-time
       * @description When it was replaced.
       */
      at: string;
    };
    EditList: {
      edits: components["schemas"]["ChatEdit"][];
    };
    SendBody: {
      /**
       * @description Whom it is for: E.164 with +, or a business-scoped user id.
       * @example +6281234567890
       */
      recipient_phone?: string;
      /** @description The same by another name; give one of the two. */
      to?: string;
      /** @description The number it leaves from: own or external id. Absent: the tenant's default. */
      sender_id?: string;
      /**
       * @description Absent: what the rest of the message tells.
       * @enum {string}
       */
      type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
      /** @description What is said. A string is its text. */
      content?: {
        /** @description The text, or the caption of media. {name}s are filled in. */
        text?: string;
        /** @description Of a text: whether its first link is shown as a preview. */
        preview_url?: boolean;
        /** @description An http(s) URL that WhatsApp fetches. */
        media_url?: string;
        /** @description Instead of media_url: a file that is stored here. */
        media_id?: string;
        /** @description Of a document, as the customer sees it. */
        filename?: string;
        /** @description Of an audio: shown as a voice message. OGG with Opus only. */
        voice?: boolean;
        location?: {
          /** @description From -90 to 90. */
          latitude: number;
          /** @description From -180 to 180. */
          longitude: number;
          name?: string;
          address?: string;
        };
        /** @description Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257. */
        contacts?: Record<string, unknown>[];
        reaction?: {
          /** @description The message it is to: our id or the id of WhatsApp. */
          message_id: string;
          /** @description One emoji; an empty one takes the reaction back. */
          emoji: string;
        };
        /** @description As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in. */
        interactive?: Record<string, unknown>;
      } | string;
      /** @description What is sent when present; content is then kept for display. */
      template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      };
      /** @description What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template. */
      fallback_template?: {
        name: string;
        /** @example en_US */
        language: string;
        /** @description As WhatsApp takes them. */
        components?: Record<string, unknown>[];
      };
      /** @description Values for the {name}s in the text. */
      variables?: {
        [key: string]: string | number;
      };
      /** @description The message it answers: our id or the id of WhatsApp. */
      reply_to?: string;
      /**
       * Format: date-time
       * @description Not before this time; at most a year ahead.
       */
      scheduled_at?: string;
      /**
       * Format: date-time
       * @description Not after this time; less than two years ahead.
       */
      expires_at?: string;
      /** @description Instead of expires_at: for so many seconds from when it may leave. */
      ttl?: number;
      /**
       * @description Absent: normal, and low in a batch.
       * @enum {string}
       */
      priority?: "high" | "normal" | "low";
      /**
       * @description Absent: the template's own if it is known here, else marketing; service without a template.
       * @enum {string}
       */
      category?: "service" | "utility" | "authentication" | "marketing";
      /** @description Yours, at most 4096 bytes; given back. */
      metadata?: Record<string, unknown>;
      /**
       * @description Who wrote it. The conversation service is told; absent: `llm`.
       * @enum {string}
       */
      sender_type?: "llm" | "agent" | "bot" | "user";
      /**
       * @description `type` by another name.
       * @enum {string}
       */
      message_type?: "text" | "template" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts" | "reaction" | "interactive";
      /** @description What the conversation with this customer is called: an own or external id. One that is not known becomes its external id. It addresses nobody, and is given back. */
      conversation_id?: string;
      /** @description The tenant it is sent for: the key's own, by own or external id. An operator's key may name any. */
      tenant_id?: string;
      /** @description The sender, by own or external id; `sender_id` by another name. */
      outlet_id?: string;
      /** @description The text; `content.text` by another name. */
      message?: string;
    };
    SendAnswer: {
      message_id: string;
      whatsapp_message_id: string | null;
      /**
       * @description The documented word for the state.
       * @enum {string}
       */
      status: "queued" | "sent" | "delivered" | "read" | "failed";
      /**
       * @description The true state.
       * @enum {string}
       */
      state: "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
      /** Format: date-time */
      sent_at: string | null;
      /** @description As it was given; else the one of ours. */
      conversation_id: string;
      warnings: string[];
    };
    Statistics: {
      /** @description Messages in both directions. */
      total: number;
      by_status: {
        queued: number;
        sent: number;
        delivered: number;
        read: number;
        failed: number;
      };
      by_direction: {
        inbound: number;
        outbound: number;
      };
      /** @description The types that there are messages of. */
      by_type: {
        [key: string]: number;
      };
      /** @description Of the outbound messages that are sent, delivered, read or failed: how many are delivered or read, from 0 to 1. Null when there are none. Cancelled and expired ones never left, and do not count. */
      delivery_rate: number | null;
      /** @description Of the outbound messages that are delivered or read: how many are read. Null when there are none. */
      read_rate: number | null;
    };
    ItemError: {
      /** @description The place in the request, from 0. */
      index: number;
      error: string;
      code: string;
      message: string;
      field: string | null;
    };
    AcceptedBatch: {
      batch_id: string;
      accepted: number;
      refused: number;
      messages: {
        index: number;
        id: string;
        warnings?: string[];
      }[];
      errors: components["schemas"]["ItemError"][];
      warnings?: string[];
    };
    Batch: {
      batch_id: string;
      /** @description Whether all of it is stored; before that nothing of it leaves. */
      complete: boolean;
      /** @description Items in the request. */
      total: number;
      accepted: number;
      refused: number;
      by_state: {
        queued: number;
        sending: number;
        unconfirmed: number;
        sent: number;
        delivered: number;
        read: number;
        played: number;
        failed: number;
        cancelled: number;
        expired: number;
      };
      /** Format: date-time */
      created_at: string;
      errors: components["schemas"]["ItemError"][];
    };
    Event: {
      id: string;
      /**
       * @description What happened, as docs/events.md lists it.
       * @enum {string}
       */
      type: "message.queued" | "message.rescheduled" | "message.unconfirmed" | "message.sent" | "message.delivered" | "message.read" | "message.played" | "message.failed" | "message.cancelled" | "message.expired" | "message.received" | "message.reaction" | "message.edited" | "message.deleted" | "message.media" | "conversation.created" | "conversation.updated" | "conversation.closed" | "conversation.opened" | "participant.joined" | "participant.changed" | "participant.left" | "chat.created" | "chat.edited" | "chat.deleted" | "chat.reaction" | "chat.delivered" | "chat.read" | "notification.offline" | "webhook.disabled";
      /** Format: date-time */
      time: string;
      /** @description The place after this event. */
      cursor: string;
      /** @description The cursor of the event before it among those that were asked for: an unbroken chain proves that none is missing. */
      prev: string;
      /** @description Of `message.*` the message as it was then (#/components/schemas/Message); of others as docs/events.md says. */
      data: unknown;
    };
    EventList: {
      events: components["schemas"]["Event"][];
      next_cursor: string;
    };
    /** @description A tenant. Limits that are null: what the configuration says. */
    Tenant: {
      id: string;
      external_id: string | null;
      name: string;
      monthly_quota: number | null;
      requests_per_second: number | null;
      request_burst: number | null;
      /** @description By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing. */
      doubt_policy: {
        /** @enum {string} */
        service?: "resend" | "tell";
        /** @enum {string} */
        utility?: "resend" | "tell";
        /** @enum {string} */
        authentication?: "resend" | "tell";
        /** @enum {string} */
        marketing?: "resend" | "tell";
      };
      processing: boolean;
      /** @description Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there. */
      consent_keywords: {
        opt_out?: string[];
        opt_in?: string[];
      } | null;
      /** @description By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is. */
      quiet_hours: {
        service?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        utility?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        authentication?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        marketing?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
      };
      retention_days: number | null;
      /** Format: date-time */
      created_at: string;
    };
    TenantBody: {
      name: string;
      /** @description Your own id of it, which finds it as well as ours does. */
      external_id?: string | null;
      /** @description Messages a calendar month, UTC. */
      monthly_quota?: number | null;
      /** @description Requests a second of the API, on average. */
      requests_per_second?: number | null;
      /** @description Requests that may come at once. */
      request_burst?: number | null;
      /** @description By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing. */
      doubt_policy?: {
        /** @enum {string} */
        service?: "resend" | "tell";
        /** @enum {string} */
        utility?: "resend" | "tell";
        /** @enum {string} */
        authentication?: "resend" | "tell";
        /** @enum {string} */
        marketing?: "resend" | "tell";
      };
      /** @description Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there. */
      consent_keywords?: {
        opt_out?: string[];
        opt_in?: string[];
      } | null;
      /** @description By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is. */
      quiet_hours?: {
        service?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        utility?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        authentication?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        marketing?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
      };
      /** @description Days that what people say in conversations is kept, where the conversation says nothing. null: for ever. */
      retention_days?: number | null;
      /** @description false: nothing of it leaves, as after /processor/stop. */
      processing?: boolean;
    };
    TenantChange: {
      name?: string;
      /** @description Your own id of it, which finds it as well as ours does. */
      external_id?: string | null;
      /** @description Messages a calendar month, UTC. */
      monthly_quota?: number | null;
      /** @description Requests a second of the API, on average. */
      requests_per_second?: number | null;
      /** @description Requests that may come at once. */
      request_burst?: number | null;
      /** @description By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing. */
      doubt_policy?: {
        /** @enum {string} */
        service?: "resend" | "tell";
        /** @enum {string} */
        utility?: "resend" | "tell";
        /** @enum {string} */
        authentication?: "resend" | "tell";
        /** @enum {string} */
        marketing?: "resend" | "tell";
      };
      /** @description Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there. */
      consent_keywords?: {
        opt_out?: string[];
        opt_in?: string[];
      } | null;
      /** @description By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is. */
      quiet_hours?: {
        service?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        utility?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        authentication?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
        marketing?: {
          /** @description HH:MM. */
          from: string;
          /** @description HH:MM. */
          to: string;
        };
      };
      /** @description Days that what people say in conversations is kept, where the conversation says nothing. null: for ever. */
      retention_days?: number | null;
      /** @description false: nothing of it leaves, as after /processor/stop. */
      processing?: boolean;
    };
    TenantList: {
      tenants: components["schemas"]["Tenant"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    Deleted: {
      id: string;
      deleted: boolean;
    };
    /** @description A sender, without its secrets. Limits that are null: what the configuration says. */
    Sender: {
      id: string;
      external_id: string | null;
      name: string;
      /** @enum {string} */
      channel: "whatsapp" | "webhook";
      phone: string | null;
      phone_number_id: string | null;
      account_id: string | null;
      portfolio_id: string | null;
      app_id: string | null;
      webhook_url: string | null;
      webhook_header: string | null;
      messages_per_second: number;
      per_minute: number | null;
      per_day: number | null;
      batch_size: number | null;
      processing_interval_ms: number | null;
      is_default: boolean;
      enabled: boolean;
      /** @enum {string} */
      outside_window: "refuse" | "send";
      verified_name: string | null;
      name_status: string | null;
      /** @description GREEN, YELLOW, RED or UNKNOWN, as WhatsApp says. Null in these: it has not said. */
      quality: string | null;
      /** @description STANDARD (80 messages a second), HIGH (1,000) or COEXISTENCE (20). */
      throughput: string | null;
      /** @description How many people the portfolio may write to first in 24 hours: TIER_250 and its like. */
      messaging_limit: string | null;
      /** @description What WhatsApp said when it was last asked; null: it has not been asked. false: it accepts nothing. */
      connected: boolean | null;
      /** @description What is wrong, and what to do. */
      connection_detail: string | null;
      /** Format: date-time */
      connection_checked_at: string | null;
      /** Format: date-time */
      created_at: string;
    };
    SenderBody: {
      /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
      tenant_id?: string;
      /**
       * @description whatsapp if absent.
       * @enum {string}
       */
      channel?: "whatsapp" | "webhook";
      name?: string;
      /** @description The number, E.164 with +. */
      phone?: string;
      /** @description Its id in the Graph API. */
      phone_number_id?: string;
      /** @description Its WhatsApp Business Account. */
      account_id?: string;
      /** @description Its business portfolio, whose limits its numbers share. Absent: its account. */
      portfolio_id?: string;
      /** @description The token that may send from it. Kept encrypted; never told again. */
      access_token?: string;
      /** @description Where messages are posted to. */
      webhook_url?: string;
      /** @description Your own id of it, which finds it as well as ours does. */
      external_id?: string | null;
      /** @description The header its key travels in. */
      webhook_header?: string | null;
      /** @description The key that is sent along. Kept encrypted; never told again. */
      webhook_key?: string | null;
      /** @description How fast it may send. Absent or null: as WhatsApp says, 80 until it is known. */
      messages_per_second?: number | null;
      /** @description The most that leave in a minute; the others wait. */
      per_minute?: number | null;
      /** @description The most that are accepted in a day, UTC; more are refused. */
      per_day?: number | null;
      /** @description The most that leave in one processing_interval_ms. */
      batch_size?: number | null;
      /** @description Milliseconds, with batch_size. */
      processing_interval_ms?: number | null;
      /** @description Requests that name no sender leave from it; the last one said so. */
      is_default?: boolean;
      /** @description false: accepts nothing and sends nothing. */
      enabled?: boolean;
      /**
       * @description What becomes of free text to a customer whose window is known to be closed: refused here (window_closed, the usual), or sent for WhatsApp to judge.
       * @enum {string}
       */
      outside_window?: "refuse" | "send";
    };
    SenderChange: {
      name?: string;
      /** @description The number, E.164 with +. */
      phone?: string;
      /** @description Its WhatsApp Business Account. */
      account_id?: string;
      /** @description The token that may send from it. Kept encrypted; never told again. */
      access_token?: string;
      /** @description Where messages are posted to. */
      webhook_url?: string;
      /** @description Your own id of it, which finds it as well as ours does. */
      external_id?: string | null;
      /** @description The header its key travels in. */
      webhook_header?: string | null;
      /** @description The key that is sent along. Kept encrypted; never told again. */
      webhook_key?: string | null;
      /** @description How fast it may send. Absent or null: as WhatsApp says, 80 until it is known. */
      messages_per_second?: number | null;
      /** @description The most that leave in a minute; the others wait. */
      per_minute?: number | null;
      /** @description The most that are accepted in a day, UTC; more are refused. */
      per_day?: number | null;
      /** @description The most that leave in one processing_interval_ms. */
      batch_size?: number | null;
      /** @description Milliseconds, with batch_size. */
      processing_interval_ms?: number | null;
      /** @description Requests that name no sender leave from it; the last one said so. */
      is_default?: boolean;
      /** @description false: accepts nothing and sends nothing. */
      enabled?: boolean;
      /**
       * @description What becomes of free text to a customer whose window is known to be closed: refused here (window_closed, the usual), or sent for WhatsApp to judge.
       * @enum {string}
       */
      outside_window?: "refuse" | "send";
    };
    SenderList: {
      senders: components["schemas"]["Sender"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description A message template, as WhatsApp has it. */
    Template: {
      id: string;
      account_id: string;
      /** @description Null: WhatsApp has not been told of it yet, or did not take it. */
      whatsapp_template_id: string | null;
      name: string;
      language: string;
      /** @description WhatsApp's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED, … SUBMITTING: WhatsApp is still to be told. REFUSED: it did not take it. */
      status: string;
      /** @enum {string} */
      category: "utility" | "authentication" | "marketing";
      quality: string | null;
      /** @enum {string} */
      parameter_format: "POSITIONAL" | "NAMED";
      components: {
        [key: string]: unknown;
      }[];
      /** @description Why it was rejected, paused or refused, or why WhatsApp could not be told yet. */
      reason: string | null;
      /** @description What WhatsApp said when it did not take the last creation, edit or deletion. */
      refusal: {
        code?: number;
        subcode?: number | null;
        title?: string;
        detail?: string | null;
      } | null;
      /**
       * @description What WhatsApp is still to be told.
       * @enum {string|null}
       */
      pending: "create" | "edit" | "delete" | "unpause" | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
    };
    TemplateBody: {
      /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
      tenant_id?: string;
      /** @description The WhatsApp Business Account. */
      account_id?: string;
      /** @description Instead of account_id: a sender of it, by own or external id. Neither: the default sender. */
      sender_id?: string;
      /** @description Small letters, digits and _. */
      name: string;
      /** @description Like en, en_US or pt_BR. */
      language: string;
      /** @enum {string} */
      category: "utility" | "authentication" | "marketing";
      /**
       * @description POSITIONAL if absent: {{1}}. NAMED: {{first_name}}.
       * @enum {string}
       */
      parameter_format?: "POSITIONAL" | "NAMED";
      /** @description As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER. */
      components: {
        [key: string]: unknown;
      }[];
      /** @description Whether WhatsApp may give it another category instead of rejecting it. */
      allow_category_change?: boolean;
      /** @description How long WhatsApp tries to deliver, in seconds; -1: 30 days. */
      message_send_ttl_seconds?: number;
    };
    TemplateChange: {
      /** @enum {string} */
      category?: "utility" | "authentication" | "marketing";
      /** @description As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER. */
      components?: {
        [key: string]: unknown;
      }[];
      /** @description How long WhatsApp tries to deliver, in seconds; -1: 30 days. */
      message_send_ttl_seconds?: number;
    };
    TemplateList: {
      templates: components["schemas"]["Template"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description What the customer will see. */
    TemplatePreview: {
      header: {
        format?: string;
        text?: string | null;
        media_id?: string | null;
        link?: string | null;
        filename?: string | null;
        location?: {
          latitude?: number;
          longitude?: number;
          name?: string | null;
          address?: string | null;
        } | null;
      } | null;
      body: string | null;
      footer: string | null;
      offer: {
        text?: string;
        expires_at?: number | null;
      } | null;
      buttons: {
        type: string;
        text: string;
        url: string | null;
        phone_number: string | null;
        code: string | null;
      }[];
      cards: {
        header: {
          format?: string;
          text?: string | null;
          media_id?: string | null;
          link?: string | null;
          filename?: string | null;
          location?: {
            latitude?: number;
            longitude?: number;
            name?: string | null;
            address?: string | null;
          } | null;
        } | null;
        body: string | null;
        buttons: {
          type: string;
          text: string;
          url: string | null;
          phone_number: string | null;
          code: string | null;
        }[];
      }[];
      /** @description All of it as plain text. */
      text: string;
    };
    TemplateSync: {
      account_id: string;
      /** @enum {string} */
      status: "syncing";
    };
    /** @description A key, without itself: only its hash is kept. */
    ApiKey: {
      id: string;
      name: string;
      scopes: string[];
      /** @enum {string} */
      dialect: "aldis" | "queue";
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      revoked_at: string | null;
      /**
       * Format: date-time
       * @description To the minute or so.
       */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
    };
    NewApiKey: {
      id: string;
      name: string;
      scopes: string[];
      /** @enum {string} */
      dialect: "aldis" | "queue";
      /** Format: date-time */
      expires_at: string | null;
      /** Format: date-time */
      revoked_at: string | null;
      /**
       * Format: date-time
       * @description To the minute or so.
       */
      last_used_at: string | null;
      /** Format: date-time */
      created_at: string;
      /** @description The key itself, told this once. */
      key: string;
    };
    ApiKeyBody: {
      /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
      tenant_id?: string;
      /** @description What it is for, for people. */
      name: string;
      /** @description What it may do. admin: everything, for every tenant. */
      scopes?: ("messages:write" | "messages:read" | "events:read" | "metrics:read" | "accounts:write" | "accounts:read" | "templates:write" | "templates:read" | "media:write" | "media:read" | "contacts:write" | "contacts:read" | "exports:write" | "conversations:write" | "conversations:read" | "webhooks:write" | "webhooks:read" | "act_as" | "admin")[];
      /**
       * @description How its holder speaks unless a request says otherwise.
       * @enum {string}
       */
      dialect?: "aldis" | "queue";
      /**
       * Format: date-time
       * @description From then on it is refused.
       */
      expires_at?: string | null;
    };
    ApiKeyChange: {
      /** @description What it is for, for people. */
      name?: string;
      /** @description What it may do. admin: everything, for every tenant. */
      scopes?: ("messages:write" | "messages:read" | "events:read" | "metrics:read" | "accounts:write" | "accounts:read" | "templates:write" | "templates:read" | "media:write" | "media:read" | "contacts:write" | "contacts:read" | "exports:write" | "conversations:write" | "conversations:read" | "webhooks:write" | "webhooks:read" | "act_as" | "admin")[];
      /**
       * @description How its holder speaks unless a request says otherwise.
       * @enum {string}
       */
      dialect?: "aldis" | "queue";
      /**
       * Format: date-time
       * @description From then on it is refused.
       */
      expires_at?: string | null;
    };
    ApiKeyList: {
      api_keys: components["schemas"]["ApiKey"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    Ticket: {
      /** @description For `/ws?ticket=…`. It counts once, and is told in this answer only. */
      ticket: string;
      /** Format: date-time */
      expires_at: string;
    };
    Presence: {
      user_id: string;
      /** @description Whether a WebSocket of his is open. */
      online: boolean;
      /**
       * Format: date-time
       * @description When one was last closed; null: never.
       */
      last_seen: string | null;
    };
    /** @description A WhatsApp Business Account, without its token. */
    Account: {
      id: string;
      app: string;
      portfolio_id: string | null;
      name: string | null;
      add_numbers: boolean;
      /** @description Its numbers that are senders of the tenant. */
      senders: number;
      /** @description Whether the token reads the account; null: WhatsApp has not been asked. */
      token_valid: boolean | null;
      /** @description What is wrong with the token, and what to do. */
      token_detail: string | null;
      /**
       * Format: date-time
       * @description Null: never, or nobody knows: only an app whose meta_app_id is given can ask.
       */
      token_expires_at: string | null;
      review_status: string | null;
      /** @description How many people its portfolio may write to first in 24 hours: TIER_250 and its like. */
      messaging_limit: string | null;
      subscribe_wanted: boolean;
      /** @description Whether its webhooks come to its app; null: it is not known. */
      subscribed: boolean | null;
      /**
       * Format: date-time
       * @description When it was last read from WhatsApp.
       */
      synced_at: string | null;
      /**
       * Format: date-time
       * @description When WhatsApp was last asked, whatever came of it.
       */
      checked_at: string | null;
      /** @description What went wrong when it was last read; null: nothing. */
      sync_detail: string | null;
      /** Format: date-time */
      templates_synced_at: string | null;
      /** Format: date-time */
      created_at: string;
    };
    AccountBody: {
      /** @description The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own. */
      tenant_id?: string;
      /** @description The id of the WhatsApp Business Account. */
      id: string;
      /** @description The token that reads and manages the account, and sends from its numbers. Kept encrypted; never told again. */
      access_token: string;
      /** @description The app whose webhooks tell of it. `default` if absent. */
      app?: string;
      /** @description Its business portfolio. Absent: WhatsApp says. */
      portfolio_id?: string;
      /** @description Whether each of its numbers becomes a sender. false: only those that somebody makes. */
      add_numbers?: boolean;
      /** @description Whether its webhooks are to come to its app. WhatsApp is told. */
      subscribe?: boolean;
    };
    AccountChange: {
      /** @description The token that reads and manages the account, and sends from its numbers. Kept encrypted; never told again. */
      access_token?: string;
      /** @description Whether each of its numbers becomes a sender. false: only those that somebody makes. */
      add_numbers?: boolean;
      /** @description Whether its webhooks are to come to its app. WhatsApp is told. */
      subscribe?: boolean;
    };
    AccountList: {
      accounts: components["schemas"]["Account"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    AccountAlert: {
      id: string;
      /** Format: date-time */
      time: string;
      /** @description The webhook's field: account_alerts, account_update, security, … */
      field: string;
      /** @description Its value, as it came. */
      payload: {
        [key: string]: unknown;
      };
    };
    AccountAlertList: {
      alerts: components["schemas"]["AccountAlert"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description Whether webhooks of an account come to its app. */
    AccountSubscription: {
      account_id: string;
      app: string;
      /** @description Whether its webhooks are to come. */
      wanted: boolean;
      /** @description Whether WhatsApp says that they do; null: it has not said. */
      subscribed: boolean | null;
      detail: string | null;
      /** Format: date-time */
      checked_at: string | null;
    };
    /** @description A Meta app, without its secrets. */
    App: {
      id: string;
      meta_app_id: string | null;
      webhook_path: string;
      /**
       * Format: date-time
       * @description Until when webhooks signed with the secret before are believed; null: they are not.
       */
      previous_until: string | null;
      /** Format: date-time */
      created_at: string;
    };
    AppBody: {
      /** @description What it is called here: its webhooks come to /webhooks/whatsapp/{id}. */
      id: string;
      /** @description The app's secret, which signs webhooks. Kept encrypted; never told again. */
      app_secret: string;
      /** @description The word that Meta repeats when it asks whether the address is yours. Kept as the secret is. */
      verify_token: string;
      /** @description Meta's id of the app. With it the app can be asked until when tokens are good. */
      meta_app_id?: string | null;
    };
    AppChange: {
      /** @description The app's secret, which signs webhooks. Kept encrypted; never told again. */
      app_secret?: string;
      /** @description The word that Meta repeats when it asks whether the address is yours. Kept as the secret is. */
      verify_token?: string;
      /** @description Meta's id of the app. With it the app can be asked until when tokens are good. */
      meta_app_id?: string | null;
      /** @description With a new secret: seconds in which the one before is believed as well. 3600 if absent. */
      overlap?: number;
    };
    AppList: {
      apps: components["schemas"]["App"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    Resealed: {
      /** @description Sealed anew now. */
      resealed: number;
      /** @description Sealed by the newest key before. */
      already: number;
      /** @description No key at hand opens them: they stay as they are. */
      failed: number;
    };
    /** @description A file. Each content is there once. */
    Media: {
      id: string;
      /**
       * @description As what it can be sent. `other`: a customer sent it, and WhatsApp does not take it from a business.
       * @enum {string}
       */
      kind: "image" | "video" | "audio" | "document" | "sticker" | "other";
      /** @description By its content, whatever it was called. */
      mime_type: string;
      /** @description Bytes. */
      size: number;
      /** @description Of its content, hexadecimal. */
      sha256: string;
      /** @description Of a sticker: whether it moves. null for everything else. */
      animated: boolean | null;
      filename: string | null;
      /**
       * @description `inbound`: a customer sent it.
       * @enum {string}
       */
      source: "upload" | "url" | "inbound";
      /** Format: date-time */
      created_at: string;
      /** @description Where it can be read without a key, until `url_expires_at`; with ranges. */
      url: string;
      /** Format: date-time */
      url_expires_at: string;
    };
    MediaList: {
      media: components["schemas"]["Media"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description Somebody to talk to, with all names he is known by. */
    Contact: {
      id: string;
      external_id: string | null;
      /** @description What you call him. */
      name: string | null;
      /** @description What he calls himself on WhatsApp. */
      profile_name: string | null;
      username: string | null;
      language: string | null;
      phone: string | null;
      /** @description His business-scoped user id. */
      user_id: string | null;
      identities: {
        /** @enum {string} */
        kind: "phone" | "user_id";
        value: string;
        /**
         * Format: date-time
         * @description Since when it is his no more: he has another. It finds him until somebody else has it.
         */
        left_at: string | null;
      }[];
      /** @description Yours. Texts and numbers among them fill variables of messages. */
      attributes: {
        [key: string]: unknown;
      };
      /** @description Messages of his, to all senders, that nobody read. Reactions, edits, deletions and system messages are nothing to read. */
      unread_count: number;
      total_messages: number;
      /** Format: date-time */
      last_message_at: string | null;
      /**
       * @description out: no marketing is sent. null: he never said.
       * @enum {string|null}
       */
      marketing_consent: "in" | "out" | null;
      /**
       * @description out: nothing at all is sent.
       * @enum {string|null}
       */
      contact_consent: "in" | "out" | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string | null;
    };
    ContactBody: {
      /** @description E.164 with +. */
      phone?: string;
      /** @description A business-scoped user id. */
      user_id?: string;
      /** @description Your own id of him, which finds him as well as ours does. */
      external_id?: string | null;
      name?: string | null;
      /** @description Like id, en_US or pt-BR. */
      language?: string | null;
      /** @description Names and values of your own: at most 100, and 4,096 bytes as JSON. */
      attributes?: {
        [key: string]: unknown;
      };
    };
    ContactChange: {
      /** @description Your own id of him, which finds him as well as ours does. */
      external_id?: string | null;
      name?: string | null;
      /** @description Like id, en_US or pt-BR. */
      language?: string | null;
      /** @description Merged with what is there; null takes one away. */
      attributes?: {
        [key: string]: unknown;
      };
    };
    ContactList: {
      contacts: components["schemas"]["Contact"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    ContactConversation: {
      id: string;
      external_id: string | null;
      sender_id: string;
      unread_count: number;
      /** Format: date-time */
      last_inbound_at: string | null;
      /** @description Whether free text is taken; unknown: nothing was heard of him yet. */
      window: {
        /** @enum {string} */
        state: "open" | "closed" | "unknown";
        /** Format: date-time */
        expires_at: string | null;
      };
      /** Format: date-time */
      created_at: string;
    };
    ContactConversationList: {
      conversations: components["schemas"]["ContactConversation"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description A list that is written to a file, or was. */
    Export: {
      id: string;
      /** @enum {string} */
      kind: "messages" | "contacts";
      /** @enum {string} */
      format: "csv" | "jsonl";
      bom: boolean;
      filter: {
        /** @description E.164 with +. */
        phone?: string;
        /** @description A business-scoped user id. */
        user_id?: string;
        /** @description Your own id. */
        external_id?: string;
        /** @description What the name begins with, whatever the case. */
        name?: string;
        /** @enum {string} */
        marketing_consent?: "in" | "out";
        /** @enum {string} */
        contact_consent?: "in" | "out";
        /** @description NAME:VALUE, an attribute that is exactly so: city:Jakarta. */
        attribute?: string;
        /** @description Own or external id. */
        sender_id?: string;
        /** @description Own or external id. */
        contact_id?: string;
        /** @description Own or external id. */
        conversation_id?: string;
        /** @description The id of a batch. */
        batch_id?: string;
        /** @enum {string} */
        direction?: "inbound" | "outbound";
        type?: string;
        /**
         * @description The documented word for the state.
         * @enum {string}
         */
        status?: "queued" | "sent" | "delivered" | "read" | "failed";
        /**
         * @description The true state, instead of status. scheduled: queued, for a time that is to come.
         * @enum {string}
         */
        state?: "scheduled" | "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
        /** @description Failed for this: `outcome_unknown`. */
        error?: string;
        /** @description Failed with this code of the provider's; 0: none. */
        error_code?: number;
        /** @description created_at from here on: a day, or a time with a zone. */
        start_date?: string;
        /** @description created_at up to here: a day, whole, or a time with a zone. */
        end_date?: string;
      };
      /** @enum {string} */
      state: "queued" | "running" | "complete" | "failed" | "cancelled";
      /** @description Written so far. */
      rows: number;
      /** @description How many there were when it was asked for; null: more than can be counted at once. */
      total: number | null;
      /** @description null: the total is not known. 100: it is complete. */
      percent: number | null;
      /** @description Pieces that are written. A restart goes on after the last. */
      parts: number;
      /** @description Bytes. */
      size: number;
      filename: string;
      /** @description What went wrong last. */
      error: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      ended_at: string | null;
      /**
       * Format: date-time
       * @description When it is removed, with its file. null: it has not ended.
       */
      expires_at: string | null;
    };
    ExportBody: {
      /**
       * @description Which list.
       * @enum {string}
       */
      kind: "messages" | "contacts";
      /**
       * @description csv, or jsonl: a JSON object a line.
       * @enum {string}
       */
      format: "csv" | "jsonl";
      /** @description The filters of the kind's list. Absent: all of it. */
      filter?: {
        /** @description E.164 with +. */
        phone?: string;
        /** @description A business-scoped user id. */
        user_id?: string;
        /** @description Your own id. */
        external_id?: string;
        /** @description What the name begins with, whatever the case. */
        name?: string;
        /** @enum {string} */
        marketing_consent?: "in" | "out";
        /** @enum {string} */
        contact_consent?: "in" | "out";
        /** @description NAME:VALUE, an attribute that is exactly so: city:Jakarta. */
        attribute?: string;
        /** @description Own or external id. */
        sender_id?: string;
        /** @description Own or external id. */
        contact_id?: string;
        /** @description Own or external id. */
        conversation_id?: string;
        /** @description The id of a batch. */
        batch_id?: string;
        /** @enum {string} */
        direction?: "inbound" | "outbound";
        type?: string;
        /**
         * @description The documented word for the state.
         * @enum {string}
         */
        status?: "queued" | "sent" | "delivered" | "read" | "failed";
        /**
         * @description The true state, instead of status. scheduled: queued, for a time that is to come.
         * @enum {string}
         */
        state?: "scheduled" | "queued" | "sending" | "unconfirmed" | "sent" | "delivered" | "read" | "played" | "failed" | "cancelled" | "expired";
        /** @description Failed for this: `outcome_unknown`. */
        error?: string;
        /** @description Failed with this code of the provider's; 0: none. */
        error_code?: number;
        /** @description created_at from here on: a day, or a time with a zone. */
        start_date?: string;
        /** @description created_at up to here: a day, whole, or a time with a zone. */
        end_date?: string;
      };
      /**
       * @description Whether a CSV file begins with a byte order mark, by which some spreadsheets know UTF-8.
       * @default false
       */
      bom?: boolean;
    };
    ExportList: {
      exports: components["schemas"]["Export"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    DeadLetterGroup: {
      /** @description The word in the error of the messages. */
      error: string;
      /** @description The provider's code; 0: none of the provider's. */
      code: number;
      /** @description As it was told of the newest of them. */
      title: string;
      count: number;
      /** @description How many of them may have arrived: nobody knows what came of an attempt. */
      uncertain: number;
      /** Format: date-time */
      oldest: string;
      /** Format: date-time */
      newest: string;
      /** @description true: counting stopped at the million newest; there are more. */
      capped: boolean;
    };
    DeadLetterList: {
      dead_letters: components["schemas"]["DeadLetterGroup"][];
    };
    RedriveBody: {
      /** @description Which failed messages, as in the list of reasons; {}: all of them. */
      filter: {
        /** @description The word in the error of the message: `outcome_unknown`. */
        error?: string;
        /** @description The provider's code; 0: none of the provider's. */
        error_code?: number;
        /** @description Own or external id. */
        sender_id?: string;
        /** @description The id of a batch. */
        batch_id?: string;
        /** @description Failed from here on: a day, or a time with a zone. */
        since?: string;
        /** @description Failed up to here: a day, whole, or a time with a zone. */
        until?: string;
      };
      /**
       * @description How many messages are due again each second, at most.
       * @default 10
       */
      per_second?: number;
      /**
       * @description Also those that may have arrived: a customer may get them twice.
       * @default false
       */
      include_uncertain?: boolean;
    };
    /** @description Failed messages that are sent again, at a pace. */
    Redrive: {
      id: string;
      /** @enum {string} */
      state: "running" | "done" | "cancelled";
      filter: {
        /** @description The word in the error of the message: `outcome_unknown`. */
        error?: string;
        /** @description The provider's code; 0: none of the provider's. */
        error_code?: number;
        /** @description Own or external id. */
        sender_id?: string;
        /** @description The id of a batch. */
        batch_id?: string;
        /** @description Failed from here on: a day, or a time with a zone. */
        since?: string;
        /** @description Failed up to here: a day, whole, or a time with a zone. */
        until?: string;
      };
      per_second: number;
      include_uncertain: boolean;
      /** @description Messages that are due again. */
      queued: number;
      /** @description Messages that were left failed. */
      skipped: number;
      /** @description How many for which reason. */
      skipped_reasons: {
        not_failed?: number;
        recorded?: number;
        expired?: number;
        recipient_suppressed?: number;
        may_have_arrived?: number;
        quota_exceeded?: number;
        daily_limit_reached?: number;
      };
      /** @description The API key that asked for it. */
      key_id: string;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      ended_at: string | null;
    };
    RedriveList: {
      redrives: components["schemas"]["Redrive"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description What a contact said of being written to. For each scope the latest holds. */
    Consent: {
      id: string;
      contact_id: string;
      /** @enum {string} */
      scope: "marketing" | "all";
      /** @enum {string} */
      state: "in" | "out";
      /**
       * @description By what he said so: a keyword of his message, this API, WhatsApp's own switch, or a list.
       * @enum {string}
       */
      source: "keyword" | "api" | "whatsapp" | "import";
      detail: string | null;
      message_id: string | null;
      /** Format: date-time */
      at: string;
    };
    ConsentBody: {
      /**
       * @description marketing: marketing messages. all: every message.
       * @enum {string}
       */
      scope: "marketing" | "all";
      /**
       * @description in: agrees. out: refuses, and what waits for him is stopped.
       * @enum {string}
       */
      state: "in" | "out";
      /**
       * @description api if absent.
       * @enum {string}
       */
      source?: "api" | "import";
      /** @description Where he said so, or how. */
      detail?: string;
      /**
       * Format: date-time
       * @description When he said so. Now, if absent; what was said later holds.
       */
      at?: string;
    };
    ConsentByAddress: {
      /** @description E.164 with +. */
      phone?: string;
      /** @description A business-scoped user id. */
      user_id?: string;
      /**
       * @description marketing: marketing messages. all: every message.
       * @enum {string}
       */
      scope: "marketing" | "all";
      /**
       * @description in: agrees. out: refuses, and what waits for him is stopped.
       * @enum {string}
       */
      state: "in" | "out";
      /**
       * @description api if absent.
       * @enum {string}
       */
      source?: "api" | "import";
      /** @description Where he said so, or how. */
      detail?: string;
      /**
       * Format: date-time
       * @description When he said so. Now, if absent; what was said later holds.
       */
      at?: string;
    };
    /** @description What holds now. */
    GivenConsent: {
      contact_id: string;
      /** @enum {string|null} */
      marketing_consent: "in" | "out" | null;
      /** @enum {string|null} */
      contact_consent: "in" | "out" | null;
      /** @description Messages that waited for him and are not sent any more. */
      messages_stopped: number;
    };
    GivenConsents: {
      accepted: number;
      refused: number;
      messages_stopped: number;
      errors: {
        /** @description The place in the request, from 0. */
        index: number;
        error: string;
        code: string;
        message: string;
        field: string | null;
      }[];
    };
    ConsentList: {
      consents: components["schemas"]["Consent"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    BlockedUser: {
      contact_id: string;
      sender_id: string;
      name: string | null;
      phone: string | null;
      user_id: string | null;
      /** @description What is wanted. */
      blocked: boolean;
      /** @description Whether WhatsApp did it. null: it has not said yet. false: it will not, and detail says why. */
      confirmed: boolean | null;
      detail: string | null;
      /** Format: date-time */
      at: string;
    };
    BlockedUserList: {
      blocked_users: components["schemas"]["BlockedUser"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    /** @description A queue that stands still: its messages are held, and none fails of it. */
    Pause: {
      id: string;
      /** @description Null: whoever's messages; of an app, or of WhatsApp itself. */
      tenant_id: string | null;
      /** @enum {string} */
      scope: "country" | "sender" | "account" | "app" | "provider";
      sender_id: string | null;
      app: string | null;
      account_id: string | null;
      /** @description As ISO 3166 has it. Several with + where a number may be of any of them. */
      country: string | null;
      /** @enum {string} */
      cause: "token_invalid" | "permission_missing" | "number_not_ready" | "restricted" | "payment_trouble" | "account_locked" | "country_restricted" | "call_rate" | "maintenance" | "provider_trouble";
      /** @description WhatsApp's error code. Null: it did not answer. */
      code: number | null;
      title: string;
      detail: string | null;
      /** @description What a person can do. */
      advice: string | null;
      /** Format: date-time */
      opened_at: string;
      /**
       * Format: date-time
       * @description When one message is let through to see. Null: only a change by a person ends it.
       */
      probe_at: string | null;
      /** @description How many messages found it still shut. */
      probes: number;
    };
    PauseList: {
      pauses: components["schemas"]["Pause"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    WebhookEndpointBody: {
      /** @description Where events are posted: http or https, at a public address, at most 2048 characters. Redirects are not followed. */
      url: string;
      description?: string | null;
      /** @description Nothing is posted to one that is not; what happens meanwhile can be replayed. */
      enabled?: boolean;
      /** @description Which events; null or absent: all that there are and will be. */
      event_types?: string[] | null;
      /** @description Only events about these senders. */
      sender_ids?: string[] | null;
      /** @description Only events of these conversations. */
      conversation_ids?: string[] | null;
      /** @description Whether the next event of a conversation waits until the one before is delivered, or has failed. Holds for what happens from then on. */
      ordered?: boolean;
    };
    WebhookEndpointChange: {
      /** @description Where events are posted: http or https, at a public address, at most 2048 characters. Redirects are not followed. */
      url?: string;
      description?: string | null;
      /** @description Nothing is posted to one that is not; what happens meanwhile can be replayed. */
      enabled?: boolean;
      /** @description Which events; null or absent: all that there are and will be. */
      event_types?: string[] | null;
      /** @description Only events about these senders. */
      sender_ids?: string[] | null;
      /** @description Only events of these conversations. */
      conversation_ids?: string[] | null;
      /** @description Whether the next event of a conversation waits until the one before is delivered, or has failed. Holds for what happens from then on. */
      ordered?: boolean;
    };
    WebhookEndpoint: {
      id: string;
      url: string;
      description: string | null;
      enabled: boolean;
      /** @description Why it was disabled by itself; null when it was not. */
      disabled_reason: string | null;
      event_types: string[] | null;
      sender_ids: string[] | null;
      conversation_ids: string[] | null;
      ordered: boolean;
      /**
       * Format: date-time
       * @description Since when no delivery went well; null when the last one did.
       */
      failing_since: string | null;
      /**
       * Format: date-time
       * @description Until when the secret before the last one signs as well.
       */
      previous_secret_until: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
    };
    WebhookEndpointWithSecret: {
      id: string;
      url: string;
      description: string | null;
      enabled: boolean;
      /** @description Why it was disabled by itself; null when it was not. */
      disabled_reason: string | null;
      event_types: string[] | null;
      sender_ids: string[] | null;
      conversation_ids: string[] | null;
      ordered: boolean;
      /**
       * Format: date-time
       * @description Since when no delivery went well; null when the last one did.
       */
      failing_since: string | null;
      /**
       * Format: date-time
       * @description Until when the secret before the last one signs as well.
       */
      previous_secret_until: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
      /** @description What signs, as the Standard Webhooks specification has it (whsec_…). Shown this once. */
      secret: string;
    };
    WebhookEndpointList: {
      webhooks: components["schemas"]["WebhookEndpoint"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    WebhookDelivery: {
      id: string;
      endpoint_id: string;
      /**
       * @description event: as it happened; replay: told once more; test.
       * @enum {string}
       */
      kind: "event" | "replay" | "test";
      /** @description The webhook-id it is posted under, at every try and replay. */
      event_id: string;
      event_type: string;
      /** @enum {string} */
      state: "pending" | "delivered" | "failed";
      /** @description How often it was tried, the try under way included. */
      tries: number;
      /**
       * Format: date-time
       * @description Of a pending one; null while one before it in its conversation is not done.
       */
      next_try_at: string | null;
      /** @description Of the last answer; null: there was none. */
      http_status: number | null;
      /** @description What went wrong at the last try. */
      detail: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      ended_at: string | null;
    };
    WebhookDeliveryWithAttempts: {
      id: string;
      endpoint_id: string;
      /**
       * @description event: as it happened; replay: told once more; test.
       * @enum {string}
       */
      kind: "event" | "replay" | "test";
      /** @description The webhook-id it is posted under, at every try and replay. */
      event_id: string;
      event_type: string;
      /** @enum {string} */
      state: "pending" | "delivered" | "failed";
      /** @description How often it was tried, the try under way included. */
      tries: number;
      /**
       * Format: date-time
       * @description Of a pending one; null while one before it in its conversation is not done.
       */
      next_try_at: string | null;
      /** @description Of the last answer; null: there was none. */
      http_status: number | null;
      /** @description What went wrong at the last try. */
      detail: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      ended_at: string | null;
      attempts: {
        attempt: number;
        /** Format: date-time */
        started_at: string;
        took_ms: number;
        http_status: number | null;
        detail: string | null;
        /** @description The beginning of what was answered. */
        answer: string | null;
      }[];
    };
    WebhookDeliveryList: {
      deliveries: components["schemas"]["WebhookDelivery"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
    WebhookReplayBody: {
      /** Format: date-time */
      since: string;
      /**
       * Format: date-time
       * @description Absent: now.
       */
      until?: string;
      /**
       * @description Only deliveries that have failed for good; else all events that the filter lets through, posted before or not.
       * @default false
       */
      only_failed?: boolean;
    };
    WebhookReplay: {
      id: string;
      endpoint_id: string;
      /** Format: date-time */
      since: string;
      /** Format: date-time */
      until: string;
      only_failed: boolean;
      /** @enum {string} */
      state: "running" | "done";
      /** @description Deliveries made so far. */
      replayed: number;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      ended_at: string | null;
    };
    WebhookReplayList: {
      replays: components["schemas"]["WebhookReplay"][];
      /** @description Null at the end. */
      next_cursor: string | null;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
