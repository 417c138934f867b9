/**
 * Templates: what is defined once, approved by WhatsApp, and sent many times with values for its variables. The words of
 * statuses are WhatsApp's own (Meta: templates/template-management, webhooks/reference/message_template_status_update).
 */
export const TEMPLATE_CATEGORIES = ['utility', 'authentication', 'marketing'] as const;
export type TemplateCategory = (typeof TEMPLATE_CATEGORIES)[number];

/** POSITIONAL: `{{1}}`, `{{2}}`, counted by each text for itself. NAMED: `{{first_name}}`. */
export const PARAMETER_FORMATS = ['POSITIONAL', 'NAMED'] as const;
export type ParameterFormat = (typeof PARAMETER_FORMATS)[number];

/** A part of a definition as WhatsApp has it: `{type: "BODY", text: …}`. */
export type TemplateComponent = Readonly<Record<string, unknown>>;

/** What a template says, whoever has it. */
export interface TemplateDefinition {
  name: string;
  language: string;
  category: TemplateCategory;
  parameter_format: ParameterFormat;
  components: readonly TemplateComponent[];
}
