CREATE TABLE "ietf_sfc_Port" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "mac_address" VARCHAR(18) NOT NULL,
  "admin_state_up" BOOLEAN NOT NULL,
  "status" VARCHAR(32) NOT NULL,
  "vnic_type" VARCHAR(32) NOT NULL,
  "mtu" BIGINT NOT NULL,
  "vlan_transparency" BOOLEAN NOT NULL,
  "profile" TEXT,
  "device_id" VARCHAR(64),
  "device_owner" VARCHAR(128),
  "host_id" VARCHAR(64),
  "vif_details" TEXT,
  "vif_type" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_Port_47fdf40be0" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_Interface" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "port_id" VARCHAR(64) NOT NULL REFERENCES "ietf_sfc_Port" ("id") DEFERRABLE INITIALLY DEFERRED,
  "segmentation_type" VARCHAR(32) NOT NULL,
  "segmentation_id" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_Interface_bf3ce69f52" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunction" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "type" VARCHAR(64),
  "ip_mgmt_address" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunction_340039b02d" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_SfDataPlaneLocator" (
  "_project" VARCHAR(64) NOT NULL,
  "interface_id" VARCHAR(64) NOT NULL,
  "service_id" VARCHAR(64) NOT NULL,
  "name" VARCHAR(255),
  "ip" VARCHAR(16),
  "l4_port" BIGINT,
  "transport" VARCHAR(255),
  "service_function_forwarder" VARCHAR(255),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SfDataPlaneLocator_1f261cc2b8" PRIMARY KEY ("interface_id")
);
CREATE TABLE "ietf_sfc_SffDataPlaneLocator" (
  "_project" VARCHAR(64) NOT NULL,
  "interface_id" VARCHAR(64) NOT NULL,
  "service_id" VARCHAR(64) NOT NULL,
  "ip" VARCHAR(16),
  "l4_port" BIGINT,
  "mac" VARCHAR(17),
  "transport" VARCHAR(255),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffDataPlaneLocator_c8bfd0e419" PRIMARY KEY ("interface_id")
);
CREATE TABLE "ietf_sfc_SffSfBinding" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "sf_name" VARCHAR(255),
  "sff_name" VARCHAR(255),
  "sff_dpl_name" VARCHAR(64),
  "sf_dpl_name" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffSfBinding_a762460960" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionForwarder" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "ip_mgmt_address" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionForwarder_e97bfff373" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_SclSffBinding" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "sff_name" VARCHAR(64),
  "scl_name" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SclSffBinding_908177b221" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionClassifier" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "src_ip" VARCHAR(16),
  "dst_ip" VARCHAR(16),
  "src_mac" VARCHAR(17),
  "dst_mac" VARCHAR(17),
  "l4_port" BIGINT,
  "service_function_chain" VARCHAR(255),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionClassifier_4c10345da1" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionChain" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "sfc_service_functions" VARCHAR(256),
  "symmetric" BOOLEAN,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionChain_ff0b60a7ff" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionPath" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "transport_type" VARCHAR(32),
  "sfc_encapsulation" VARCHAR(32),
  "symmetric" BOOLEAN,
  "service_path_hops" VARCHAR(256),
  "service_chain_name" VARCHAR(64),
  "starting_index" BIGINT,
  "path_id" BIGINT,
  "context_metadata" VARCHAR(64),
  "variable_metadata" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionPath_3b253b8acb" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServicePathHop" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "hop_id" BIGINT,
  "sf_name" VARCHAR(255),
  "sff_name" VARCHAR(255),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServicePathHop_2b3ac9a41a" PRIMARY KEY ("id")
);
CREATE INDEX "ix_ietf_sfc_Port_6018a2e3c2" ON "ietf_sfc_Port" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_Interface_1e494e8395" ON "ietf_sfc_Interface" ("port_id");
CREATE INDEX "ix_ietf_sfc_Interface_16f56c22ba" ON "ietf_sfc_Interface" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunction_680a2daa35" ON "ietf_sfc_ServiceFunction" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_SfDataPlaneLocator_612553bad0" ON "ietf_sfc_SfDataPlaneLocator" ("_project", "interface_id");
CREATE INDEX "ix_ietf_sfc_SffDataPlaneLocator_2748dc492f" ON "ietf_sfc_SffDataPlaneLocator" ("_project", "interface_id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SffSfBinding_7b672ee0db" ON "ietf_sfc_SffSfBinding" ("sff_dpl_name", "sf_dpl_name");
CREATE INDEX "ix_ietf_sfc_SffSfBinding_8fbe37900a" ON "ietf_sfc_SffSfBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionForwarder_24f0f53711" ON "ietf_sfc_ServiceFunctionForwarder" ("_project", "id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SclSffBinding_fcaa8280e8" ON "ietf_sfc_SclSffBinding" ("sff_name", "scl_name");
CREATE INDEX "ix_ietf_sfc_SclSffBinding_3f87147ed2" ON "ietf_sfc_SclSffBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionClassifier_1aa2c9d0b6" ON "ietf_sfc_ServiceFunctionClassifier" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionChain_2fcce80a0f" ON "ietf_sfc_ServiceFunctionChain" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionPath_97b6a69ba8" ON "ietf_sfc_ServiceFunctionPath" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServicePathHop_476364a8cf" ON "ietf_sfc_ServicePathHop" ("_project", "id");
