// Tells the paper where the reader's mornings are. Without this script it uses its own time zone.
for (const field of document.querySelectorAll('input[name="timezone"]')) {
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
