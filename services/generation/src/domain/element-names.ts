/** By the HTML standard and its list of obsolete elements, SVG 1.1 and 2, and MathML Core with what older engines know. */
const NAMES = `
a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br button canvas
caption center cite code col colgroup command content data datalist dd del details dfn dialog dir div dl dt element em embed fencedframe
fieldset figcaption figure font footer form frame frameset geolocation h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img
input ins isindex kbd keygen label legend li link listing main map mark marquee menu menuitem meta meter multicol nav nextid nobr noembed
noframes noscript object ol optgroup option output p param permission picture plaintext portal pre progress q rb rbc rp rt rtc ruby s samp
script search section select selectedcontent shadow slot small source spacer span strike strong style sub summary sup svg table tbody td
template textarea tfoot th thead time title tr track tt u ul var video wbr xmp

altglyph altglyphdef altglyphitem animate animatecolor animatemotion animatetransform circle clippath cursor defs desc discard ellipse
feblend fecolormatrix fecomponenttransfer fecomposite feconvolvematrix fediffuselighting fedisplacementmap fedistantlight fedropshadow
feflood fefunca fefuncb fefuncg fefuncr fegaussianblur feimage femerge femergenode femorphology feoffset fepointlight
fespecularlighting fespotlight fetile feturbulence filter foreignobject g glyph glyphref handler hatch hatchpath hkern line
lineargradient listener marker mask mesh meshgradient meshpatch meshrow metadata mpath path pattern polygon polyline prefetch
radialgradient rect set solidcolor stop switch symbol tbreak text textpath tref tspan unknown use view vkern

annotation maction maligngroup malignmark math menclose merror mfenced mfrac mglyph mi mlabeledtr mlongdiv mmultiscripts mn mo mover
mpadded mphantom mprescripts mroot mrow ms mscarries mscarry msgroup msline mspace msqrt msrow mstack mstyle msub msubsup msup mtable
mtd mtext mtr munder munderover none semantics`;
const known = new Set(NAMES.trim().split(/\s+/));

/** Whether a browser may give such a tag a meaning: the name of an element it knows, or one a page may have defined (hyphenated). */
export const isElementName = (name: string): boolean => name.includes('-') || known.has(name.toLowerCase());

const TEXT_SHAPING = `
a b blockquote br dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i ins kbd li nobr ol p pre s small span strike strong sub sup tbody td
tfoot th thead tr tt u ul wbr`;
const shaping = new Set(TEXT_SHAPING.trim().split(/\s+/));

/** Whether such a tag only shapes the text around it: nothing is lost without it, and hardly any placeholder has its name. */
export const shapesText = (name: string): boolean => shaping.has(name.toLowerCase());
