# SPDX-License-Identifier: Apache-2.0
templatesdir = $(pkgdatadir)/templates
dist_templates_DATA = \
	templates/layout.mustache \
	templates/login.mustache \
	templates/consent.mustache \
	templates/error.mustache \
	templates/form_post.mustache \
	templates/web_message.mustache \
	templates/about.mustache \
	templates/application.mustache \
	templates/handover.mustache \
	templates/select_account.mustache \
	templates/account.mustache \
	templates/logout.mustache \
	templates/logged_out.mustache \
	templates/logout_frontchannel.mustache \
	templates/password.mustache \
	templates/keep.mustache \
	templates/help.mustache \
	templates/person.mustache \
	templates/alert.mustache \
	templates/style.css \
	templates/submit.js \
	templates/message.js \
	templates/frames.js \
	templates/README.md
stringsdir = $(templatesdir)/strings
dist_strings_DATA = \
	templates/strings/ar.json \
	templates/strings/de.json \
	templates/strings/en.json \
	templates/strings/es.json \
	templates/strings/fr.json \
	templates/strings/ja.json
