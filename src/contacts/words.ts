export type Says = 'stop' | 'start';

/** A word that was understood, in the spelling of its list, and the answer to it in its language. */
export type Word = { says: Says; word: string; answer: string };

type Language = { stop: string[]; start: string[]; stopAnswer: string; startAnswer: string };

/**
 * What people write to be left alone, and to be written to again. Words that are ordinary answers as well,
 * such as "cancel", "end" or "no", are left out on purpose. A word of several languages counts as the first.
 */
const languages: Language[] = [
  {
    stop: ['stop', 'stop all', 'stopall', 'unsubscribe', 'opt out', 'optout', 'opt-out'],
    start: ['start', 'unstop', 'subscribe', 'opt in', 'optin', 'opt-in'],
    stopAnswer: 'You will get no more messages from us. To get them again, write START.',
    startAnswer: 'You will get messages from us again. To end them, write STOP.',
  },
  {
    stop: ['stopp', 'abmelden', 'abbestellen', 'austragen'],
    start: ['anmelden', 'starten', 'eintragen'],
    stopAnswer:
      'Sie bekommen keine Nachrichten mehr von uns. Um sie wieder zu bekommen, schreiben Sie START.',
    startAnswer: 'Sie bekommen wieder Nachrichten von uns. Um sie zu beenden, schreiben Sie STOP.',
  },
  {
    stop: ['baja', 'darme de baja', 'detener', 'cancelar suscripción', 'cancelar suscripcion'],
    start: ['alta', 'darme de alta', 'reanudar'],
    stopAnswer: 'Ya no recibirá mensajes nuestros. Para volver a recibirlos, escriba START.',
    startAnswer: 'Volverá a recibir nuestros mensajes. Para dejar de recibirlos, escriba STOP.',
  },
  {
    stop: ['sair', 'descadastrar', 'cancelar inscrição', 'cancelar inscricao'],
    start: ['voltar', 'inscrever', 'recomeçar', 'recomecar'],
    stopAnswer: 'Você não vai mais receber mensagens nossas. Para voltar a receber, escreva START.',
    startAnswer: 'Você vai voltar a receber nossas mensagens. Para parar, escreva STOP.',
  },
  {
    stop: ['arrêt', 'arret', 'arrêter', 'arreter', 'désabonner', 'desabonner', 'me désinscrire'],
    start: ['reprendre', 'démarrer', 'demarrer', 'abonner'],
    stopAnswer: 'Vous ne recevrez plus de messages de notre part. Pour en recevoir à nouveau, écrivez START.',
    startAnswer: 'Vous recevrez à nouveau nos messages. Pour ne plus en recevoir, écrivez STOP.',
  },
  {
    stop: ['ferma', 'disiscrivi', 'disiscrivimi', 'annulla iscrizione'],
    start: ['riprendi', 'iscrivi', 'iscrivimi'],
    stopAnswer: 'Non riceverai più messaggi da noi. Per riceverli di nuovo, scrivi START.',
    startAnswer: 'Riceverai di nuovo i nostri messaggi. Per non riceverli più, scrivi STOP.',
  },
  {
    stop: ['stoppen', 'afmelden', 'uitschrijven'],
    start: ['aanmelden', 'inschrijven', 'hervatten'],
    stopAnswer: 'U krijgt geen berichten meer van ons. Schrijf START om ze weer te krijgen.',
    startAnswer: 'U krijgt weer berichten van ons. Schrijf STOP om ze te beëindigen.',
  },
  {
    stop: ['إيقاف', 'ايقاف', 'توقف', 'إلغاء الاشتراك', 'الغاء الاشتراك'],
    start: ['ابدأ', 'ابدا', 'بدء', 'اشتراك', 'استئناف'],
    stopAnswer: 'لن تصلك رسائل منا بعد الآن. لاستقبالها من جديد اكتب START.',
    startAnswer: 'ستصلك رسائلنا من جديد. لإيقافها اكتب STOP.',
  },
];

const words = new Map<string, Word>();
for (const { stop, start, stopAnswer, startAnswer } of languages) {
  for (const word of stop) learn(word, 'stop', stopAnswer);
  for (const word of start) learn(word, 'start', startAnswer);
}

/** Nothing as long as this is one word from a list, whatever stands around it. */
const LONGEST = 200;

/**
 * The word that a message consists of. All of it must be the word: what stands before its first and after its
 * last letter or digit (spaces, punctuation, emoji, formatting) does not count, nor do case and Unicode forms.
 */
export function readWord(text: string): Word | undefined {
  return text.length > LONGEST ? undefined : words.get(bare(text));
}

function learn(word: string, says: Says, answer: string): void {
  const key = bare(word);
  if (!words.has(key)) words.set(key, { says, word, answer });
}

function bare(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/^[^\p{L}\p{N}]+|(?<![^\p{L}\p{N}])[^\p{L}\p{N}]+$/gu, '')
    .replace(/\s+/gu, ' ')
    .toLowerCase();
}
