"""What the mail uses although some client lacks it, each with the reason why nothing is lost there."""

from collections.abc import Mapping

ACCEPTED: Mapping[str, str] = {
    # The head's sheets: everything that must be there is inline; sheets only add.
    "html-style": "without sheets the inline styles are the whole light paper, in one column",
    "css-at-media": "phones without it get the fluid layout of the inline styles; print and dark are extras",
    "css-at-media-prefers-color-scheme": "without it the paper stays light, or the client darkens it by itself",
    "css-color-scheme": "only tells a client that both schemes are provided",
    "css-selector-attribute": "only for Outlook's own dark mode",
    "css-selector-child": "only moves padding on phones and draws the rule between two columns",
    "css-selector-adjacent-sibling": "only clears the drop capital",
    "css-pseudo-class-first-child": "only the drop capital: the paragraph then begins with a plain letter",
    "css-pseudo-element-first-letter": "as above",
    "css-pseudo-class-has": "only keeps headings with their text in print",
    "css-pseudo-class-hover": "only underlines a headline under the pointer",
    "css-pseudo-class-focus-visible": "the client's own focus ring stays",
    "css-outline": "as above",
    "css-outline-offset": "as above",
    "css-box-sizing": "only where cells become blocks on phones",
    "css-float": "only the drop capital",
    "css-clear": "only the drop capital",
    # Inline: what is lost is an ornament.
    "css-border-radius": "MJML writes it; it is 0",
    "css-cursor": "MJML writes it beside text that is no link",
    "css-display-none": "the preview text also has no height, no opacity and one pixel",
    "css-max-height": "one of several ways in which the preview text is hidden",
    "css-opacity": "as above",
    "css-overflow": "as above",
    "css-overflow-wrap": "a long name of a model widens its column instead of breaking; names break after a slash",
    "css-word-break": "a long address in a letter may run over the edge; it is the button's address once more",
    "css-table-layout": "MJML writes auto, which is what clients do anyway",
    "css-text-underline-offset": "the underline stands a little closer",
    "css-white-space": "a figure may break over two lines",
    "css-word-spacing": "MJML resets it for programs of old",
    # Markup.
    "html-aria-label": "the arrow or figure itself is read out",
    "html-role": "as above, and layout tables are announced as tables",
    "html-bdi": "names are shown in the order of the line, as any text",
    "html-body": "its styles stand on the outermost block as well",
    "html-target": "clients open links as they like",
    "html-wbr": "a name breaks a line later",
}
