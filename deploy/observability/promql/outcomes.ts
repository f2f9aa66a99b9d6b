/** How calls of a language model end that gave an answer, shortened or withheld ones among them, or whose caller left. */
export const answered = /ok|cancelled|length|withheld/;
