// Draws the API's documentation. No validator: it would send the schema to another site.
const place = document.getElementById("api");
SwaggerUIBundle({ domNode: place, url: place.dataset.schema, deepLinking: true, validatorUrl: null });
