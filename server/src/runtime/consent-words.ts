/**
 * The words by which customers opt out and in when the configuration names no others, by language. Only words that hardly
 * mean anything else: a customer who writes "cancel" may mean his order.
 */
const OPT_OUT: Readonly<Record<string, readonly string[]>> = {
  // "Stop promotions" is the button that Meta proposes for marketing templates.
  en: ['STOP', 'STOP ALL', 'UNSUBSCRIBE', 'OPT OUT', 'OPTOUT', 'STOP PROMOTIONS', 'STOP PROMO'],
  id: ['BERHENTI', 'BERHENTI BERLANGGANAN', 'UNREG', 'STOP PROMOSI'],
  ms: ['BERHENTI LANGGAN', 'HENTI'],
  es: ['BAJA', 'DARME DE BAJA', 'DAR DE BAJA', 'PARAR', 'DETENER PROMOCIONES'],
  pt: ['SAIR', 'DESCADASTRAR', 'CANCELAR INSCRIÇÃO', 'PARAR PROMOÇÕES', 'INTERROMPER PROMOÇÕES'],
  de: ['STOPP', 'ABMELDEN', 'ABBESTELLEN'],
  fr: ['ARRÊT', 'ARRÊTER', 'DÉSABONNER', 'ME DÉSABONNER', 'SE DÉSABONNER', 'DÉSINSCRIRE'],
  it: ['CANCELLAMI', 'DISISCRIVIMI', 'ANNULLA ISCRIZIONE'],
  nl: ['AFMELDEN', 'UITSCHRIJVEN'],
  ru: ['СТОП', 'ОТПИСАТЬСЯ'],
  hi: ['बंद करें', 'रोकें'],
  ar: ['إلغاء الاشتراك', 'ايقاف', 'توقف'],
};

const OPT_IN: Readonly<Record<string, readonly string[]>> = {
  en: ['START', 'UNSTOP', 'SUBSCRIBE', 'OPT IN', 'OPTIN', 'RESUME PROMOTIONS'],
  id: ['MULAI', 'LANGGANAN', 'BERLANGGANAN'],
  ms: ['LANGGAN'],
  es: ['ALTA', 'SUSCRIBIRME', 'SUSCRIBIRSE'],
  pt: ['INSCREVER', 'INSCREVER-SE'],
  de: ['ANMELDEN', 'ABONNIEREN'],
  fr: ["S'ABONNER", 'ABONNER', "M'ABONNER"],
  it: ['ISCRIVIMI', 'ISCRIVITI'],
  nl: ['AANMELDEN', 'INSCHRIJVEN'],
  ru: ['СТАРТ', 'ПОДПИСАТЬСЯ'],
  hi: ['शुरू करें'],
  ar: ['اشتراك'],
};

export const OPT_OUT_WORDS: readonly string[] = Object.values(OPT_OUT).flat();
export const OPT_IN_WORDS: readonly string[] = Object.values(OPT_IN).flat();
