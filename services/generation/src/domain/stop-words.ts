/** Words that ask or connect and say nothing about the subject, by language, in folded form (lower case, no accents). */
export const stopWordsByLanguage: Readonly<Record<string, ReadonlySet<string>>> = {
  en: words(`a an and are as at be been but by can could did do does for from had has have how i if in into is it its me
    may my no not of on or our shall should so than that the their them then there these they this to was we were what
    when where which who whom whose why will with would you your about much many long`),
  de: words(`aber als am an auch auf aus bei bis das dass dem den der des die durch ein eine einem einen einer eines er es
    fur hat haben hatte ich ihr im in ist kann mit nach nicht noch oder sich sie sind so uber um und uns von vor war was
    wann warum welche welcher welches wenn wer werden wie wird wo wurde zu zum zur viele viel lange`),
  fr: words(`a au aux avec ce ces cette comment dans de des du elle en est et il ils je la le les leur mais ne nous on ou
    par pas pour pourquoi quand que quel quelle quelles quels qui quoi sa se ses son sont sur un une vous combien l d qu s`),
  es: words(`a al como con cual cuales cuando cuanto de del donde el ella en entre es esta este fue ha hay la las lo los
    mas me no o para pero por porque que quien se ser si sin son su sus un una y cuantos cuantas`),
  ar: words('في من على الى إلى عن ما ماذا متى كيف كم هل هو هي هذا هذه التي الذي و او أو ان أن لا مع أين اين'),
  ru: words(
    'в во и на не что как где когда кто по с со к из за от для это а но или ли о об у же бы сколько какой какая',
  ),
};

const all = new Set(Object.values(stopWordsByLanguage).flatMap((set) => [...set]));

/** True for a function word of any known language. */
export function isStopWord(word: string): boolean {
  return all.has(word);
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
